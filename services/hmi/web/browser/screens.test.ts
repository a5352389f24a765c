// A picture of every page, light and dark, on a desk and on a phone, for a person to look at: `artifacts/hmi/screens/`. What is on
// them is the demo, which must come up to its promise on the way: 42 agents, of whom somebody gets stuck and somebody fails.

import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Receipt } from "../src/api/types";
import { Screen } from "./screen";
import { Swarm, until } from "./swarm";

const INTO = resolve(import.meta.dirname, "../../../../artifacts/hmi/screens");
const VIEWS = [
  { name: "light", colorScheme: "light", viewport: { width: 1440, height: 1000 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1440, height: 1000 } },
  { name: "phone", colorScheme: "light", viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 },
] as const;

let swarm: Swarm;
const places: Record<string, string> = {
  dashboard: "/",
  tree: "/tree",
  costs: "/costs",
  alerts: "/alerts",
  receipts: "/receipts",
  services: "/services",
  playground: "/playground",
};

beforeAll(async () => {
  mkdirSync(INTO, { recursive: true });
  swarm = await Swarm.start();
  await swarm.demo();
});

afterAll(async () => {
  await swarm?.stop();
});

test("the demo's dashboard tells within a minute or so who is stuck, why, and what it has cost", async () => {
  const screen = await Screen.open(swarm.url("hmi"));
  await screen.page.getByText("Agents (42)").waitFor();
  const stuck = screen.page.getByRole("region", { name: "Needs a look" }).getByRole("listitem").filter({ hasText: "is stuck" });
  await stuck.first().waitFor({ timeout: 80_000 });
  expect(await stuck.first().innerText()).toMatch(/waits .* for an answer of demo-/);
  expect(await stuck.first().innerText()).toMatch(/has spent|nothing is spent/);
  expect(screen.complaints).toEqual([]);
  await screen.close();

  const { receipts } = await swarm.get<{ receipts: Receipt[] }>("gateway", "/receipts?limit=200");
  const told = receipts.find((receipt) => (receipt.attempts?.length ?? 0) > 1) ?? receipts[0];
  places["receipts-one"] = `/receipts/${told?.run_id}`;
  const { services } = await swarm.get<{ services: { service_id: string }[] }>("registry", "/discover?name=Director-Code&status=any");
  places["tree-one"] = `/tree/${services[0]?.service_id}`;
});

test.each(VIEWS)("a picture of each page, $name", async ({ name, ...options }) => {
  const screen = await Screen.open("about:blank", options);
  for (const [place, path] of Object.entries(places)) {
    await screen.page.goto(`${swarm.url("hmi")}${path}`);
    await screen.page.getByText("live", { exact: true }).waitFor();
    await until("the page has settled", async () => (await screen.page.getByText("Loading…").count()) === 0);
    // Each owner has been asked by then, most of them more than once.
    await screen.page.waitForFunction(() => performance.getEntriesByType("resource").filter((it) => it.name.includes("/api/")).length > 10);
    expect(await screen.page.getByText("This page failed").count()).toBe(0);
    const beyond = await screen.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect({ place, beyond }).toEqual({ place, beyond: 0 });
    await screen.page.screenshot({ path: join(INTO, `${place}-${name}.png`) });
  }
  expect(screen.complaints).toEqual([]);
  await screen.close();
});
