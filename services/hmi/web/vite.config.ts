import { defineConfig } from "vitest/config";
import solid from "vite-plugin-solid";

// The HMI that the page talks to while it is developed with `npx vite`.
const hmi = process.env.PAS_HMI_URL ?? "http://127.0.0.1:6101";

export default defineConfig({
  plugins: [solid({ hot: false })],
  // A data: address in a style sheet would need an exception in the content policy.
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { host: "127.0.0.1", proxy: { "/api": hmi } },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
