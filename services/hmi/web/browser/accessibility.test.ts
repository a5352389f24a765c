// WCAG 2.2 AA as far as a program can judge it, on every page, in both colour schemes and on a phone.

import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Screen } from "./screen";
import { Swarm, until } from "./swarm";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const PAGES = ["/", "/tree", "/costs", "/alerts", "/receipts", "/services", "/playground"];
const VIEWS = [
  { name: "light", colorScheme: "light", viewport: { width: 1440, height: 900 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1440, height: 900 } },
  { name: "on a phone", colorScheme: "light", viewport: { width: 390, height: 844 } },
] as const;

let swarm: Swarm;
let selected: Record<string, string>;

beforeAll(async () => {
  swarm = await Swarm.start();
  const architect = await swarm.register({ name: "Architect", role: "coordinator" });
  const coder = await swarm.register({ name: "Coder", labels: { parent: "Architect" } });
  await swarm.register({ name: "Mayfly", heartbeat_interval_s: 1, ttl_s: 1, labels: { parent: "Architect" } });
  await swarm.beat(architect.service_id, { activity: "waiting", progress: 0.5, token_usage: { ctx_used: 9_000, ctx_limit: 16_000 } });
  await swarm.beat(coder.service_id, { activity: "error", progress: 0.2 });
  await swarm.publish({ event_type: "status_update", agent: "Coder", event: "failed", message: "the tests fail" });
  const call = { target: { type: "model", require_caps: ["classify"] }, payload: { text: "quantum physics" }, agent: "Coder" };
  const answer = await until("a call is answered", () => swarm.post<{ run_id: string }>("gateway", "/invoke", call));
  const { alerts } = await until("an alert is there", async () => {
    const page = await swarm.get<{ alerts: { alert_id: string }[] }>("heartbeat-monitor", "/alerts");
    return page.alerts.length > 0 && page;
  });
  selected = {
    "/tree": coder.service_id,
    "/services": coder.service_id,
    "/alerts": alerts[0]?.alert_id ?? "",
    "/receipts": answer.run_id,
  };
});

afterAll(async () => {
  await swarm?.stop();
});

async function judged(screen: Screen, path: string): Promise<string[]> {
  await screen.page.goto(`${swarm.url("hmi")}${path}`);
  await screen.page.getByText("live", { exact: true }).waitFor();
  await until("the page has settled", async () => (await screen.page.getByText("Loading…").count()) === 0);
  const results = (await screen.page.evaluate((rules) => {
    const { axe } = window as unknown as { axe: { run(options: unknown): Promise<unknown> } };
    return axe.run({ runOnly: rules });
  }, RULES)) as AxeResults;
  return results.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ""}`));
}

test.each(VIEWS)("no page breaks a rule, $name", async ({ colorScheme, viewport }) => {
  // The page's own policy keeps foreign scripts out, the judge too.
  const screen = await Screen.open("about:blank", { colorScheme, viewport, bypassCSP: true });
  await screen.context.addInitScript({ path: AXE });
  const broken: Record<string, string[]> = {};
  for (const path of PAGES) {
    for (const place of [path, ...(selected[path] ? [`${path}/${selected[path]}`] : [])]) {
      const violations = await judged(screen, place);
      if (violations.length > 0) broken[place] = violations;
    }
  }
  await screen.close();
  expect(broken).toEqual({});
});
