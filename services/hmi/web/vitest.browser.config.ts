import { defineConfig } from "vitest/config";

// Tests with real services and a real browser: one at a time, for each of them uses the whole machine. The bars depend on the
// machine, and are measured apart: `npm run bars`.
export default defineConfig({
  test: {
    environment: "node",
    include: process.env.PAS_BARS ? ["browser/bars.ts"] : ["browser/**/*.test.ts"],
    fileParallelism: false,
    testTimeout: process.env.PAS_BARS ? 900_000 : 90_000,
    hookTimeout: 60_000,
  },
});
