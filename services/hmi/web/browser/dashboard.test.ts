// The dashboard over a real swarm: what happens is seen, what is wrong is said, and every number is its owner's.

import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Locator } from "playwright-core";
import type { InFlight, Stats } from "../src/api/types";
import { exactUsd } from "../src/lib/format";
import { Screen } from "./screen";
import { Swarm, until } from "./swarm";

let swarm: Swarm;
let screen: Screen;

beforeAll(async () => {
  swarm = await Swarm.start();
  const scripted = await swarm.scripted("--model", "slow-model", "--model", "paid-model");
  const model = { type: "model", role: "production", url: scripted };
  await swarm.register({
    ...model,
    name: "scripted",
    caps: ["infer", "chat"],
    labels: { dialects: "openai.chat", models: "slow-model,paid-model", locality: "local" },
    cost_hint_usd_per_1k: 0.25,
  });
  screen = await Screen.open(swarm.url("hmi"));
  await screen.page.evaluate(() => localStorage.setItem("pas.prefs", JSON.stringify({ every_s: 1 })));
  await screen.page.reload();
  await screen.page.getByText("live", { exact: true }).waitFor();
});

afterAll(async () => {
  await screen?.close();
  await swarm?.stop();
});

function card(name: string): Locator {
  return screen.page.locator(".card", { has: screen.page.getByRole("link", { name, exact: true }) });
}

function panel(name: string): Locator {
  return screen.page.getByRole("region", { name, exact: true });
}

test("all that is loaded for the first page is less than 150 kB", async () => {
  const sizes = await screen.page.evaluate(() => {
    const files = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    const loaded = (files as PerformanceResourceTiming[]).filter((file) => !new URL(file.name).pathname.startsWith("/api/"));
    return { files: loaded.length, bytes: loaded.reduce((sum, file) => sum + file.encodedBodySize, 0) };
  });
  expect(sizes.files).toBeGreaterThan(4);
  expect(sizes.bytes).toBeGreaterThan(20_000);
  expect(sizes.bytes).toBeLessThan(150_000);
});

test("an agent that registers has a card, and its beats move it", async () => {
  const { service_id } = await swarm.register({ name: "Architect", role: "coordinator" });
  await card("Architect").waitFor();
  await swarm.beat(service_id, {
    activity: "running",
    progress: 0.4,
    token_usage: { ctx_used: 12_000, ctx_limit: 16_000 },
    resources: { cpu: 0.5, mem_mb: 210 },
  });
  await card("Architect").getByText("running").waitFor();
  expect(await card("Architect").innerText()).toMatch(/40 %[\s\S]*12k\/16k[\s\S]*0\.50 cores, 210 MB/);
  const gauge = card("Architect").getByRole("meter");
  expect(await gauge.getAttribute("aria-valuetext")).toBe("75 %");
  await panel("Needs a look").getByText("is running out of context").waitFor();
});

test("an agent that falls silent turns red by and by, and the queue says why", async () => {
  await swarm.register({ name: "Mayfly", heartbeat_interval_s: 2, ttl_s: 2 });
  await card("Mayfly").getByRole("img", { name: "beats in time" }).waitFor();
  await card("Mayfly").getByRole("img", { name: "beats are missing" }).waitFor({ timeout: 10_000 });
  await panel("Needs a look").getByText("Mayfly").first().waitFor();
  await card("Mayfly").waitFor({ state: "detached", timeout: 15_000 });
});

test("whose call hangs is said to be stuck, on whom it waits and what it has cost, and its call can be ended", async () => {
  const { service_id } = await swarm.register({ name: "Evaluator" });
  await swarm.beat(service_id, { activity: "running", progress: 0.1 });
  const chat = { model: "paid-model", messages: [{ role: "user", content: "hello" }] };
  await swarm.post("gateway", "/v1/chat/completions", chat, { "x-pas-agent": "Evaluator" });
  const silent = { path: "/chat", head_ms: 120_000, times: 1 };
  await fetch(`${swarm.url("scripted")}/__script`, { method: "POST", body: JSON.stringify(silent) });
  const hanging = swarm
    .post("gateway", "/v1/chat/completions", chat, { "x-pas-agent": "Evaluator", "x-pas-deadline-ms": "100000" })
    .then(() => "answered", String);

  const entry = panel("Needs a look").getByRole("listitem").filter({ hasText: "Evaluator" });
  await entry.getByText("is stuck").waitFor({ timeout: 40_000 });
  expect(await entry.innerText()).toMatch(/waits \d+ s for an answer of scripted/);
  expect(await entry.innerText()).toMatch(/has spent ≈ \$0\.\d+/);

  await entry.getByRole("button", { name: "Cancel call" }).click();
  const dialog = screen.page.getByRole("dialog");
  expect(await dialog.getByRole("button", { name: "Cancel the call" }).isDisabled()).toBe(true);
  await dialog.getByLabel("Reason").fill("it hangs");
  await dialog.getByRole("button", { name: "Cancel the call" }).click();
  expect(await hanging).toContain("cancelled by an operator");
  await entry.waitFor({ state: "detached" });
});

test("what is on the screen is what its owners say", async () => {
  const chat = { model: "paid-model", messages: [{ role: "user", content: "what does it cost" }] };
  for (const agent of ["Architect", "Evaluator", "Nobody Registered"]) {
    await swarm.post("gateway", "/v1/chat/completions", chat, { "x-pas-agent": agent });
  }
  const owners = async () => {
    const { stats } = await swarm.get<Stats>("gateway", "/receipts/stats?group_by=day");
    const { inflight } = await swarm.get<{ inflight: InFlight[] }>("gateway", "/inflight");
    const { stats: byAgent } = await swarm.get<Stats>("gateway", "/receipts/stats?group_by=agent");
    const today = stats[0];
    const spent = (row: Stats["stats"][0] | undefined) => exactUsd((row?.usd.confirmed ?? 0) + (row?.usd.estimated ?? 0));
    return {
      calls: `${today?.calls} calls`,
      spent: spent(today),
      architect: spent(byAgent.find((row) => row.key === "Architect")),
      inflight: String(inflight.length),
    };
  };
  const shown = async () => {
    const stat = (label: string) => screen.page.locator(".stat", { hasText: label });
    const money = async (place: Locator) => ((await place.locator("[title^='$']").first().getAttribute("title")) ?? "").replace(", estimated", "");
    return {
      calls: (await stat("Spent today").innerText()).match(/\d+ calls/)?.[0],
      spent: await money(stat("Spent today")),
      architect: await money(card("Architect")),
      inflight: await stat("Calls under way").locator(".value").innerText(),
    };
  };
  await until("the screen shows what the owners say", async () => JSON.stringify(await shown()) === JSON.stringify(await owners()));
  expect(await shown()).toEqual(await owners());
});

test.each(["tree", "agent", "model", "service", "day"])("on the costs page, by %s, the totals are the sums of the owner's rows", async (by) => {
  const page = screen.page;
  await page.goto(`${swarm.url("hmi")}/costs${by === "tree" ? "" : `?by=${by}`}`);
  const owners = async () => {
    const { stats } = await swarm.get<Stats>("gateway", `/receipts/stats?group_by=${by === "tree" ? "agent" : by}`);
    const nanos = (of: (row: Stats["stats"][0]) => number) => stats.reduce((sum, row) => sum + Math.round(of(row) * 1e9), 0) / 1e9;
    return {
      calls: String(stats.reduce((sum, row) => sum + row.calls, 0)),
      confirmed: exactUsd(nanos((row) => row.usd.confirmed)),
      estimated: exactUsd(nanos((row) => row.usd.estimated)),
    };
  };
  const shown = async () => {
    const stat = (label: string) => page.locator(".stat", { has: page.getByText(label, { exact: true }) });
    const money = async (label: string) => ((await stat(label).locator("[title^='$']").first().getAttribute("title")) ?? "").replace(", estimated", "");
    return {
      calls: await stat("Calls").locator(".value").innerText(),
      confirmed: await money("Confirmed"),
      estimated: await money("Estimated"),
    };
  };
  await until("the page shows what the owner says", async () => JSON.stringify(await shown()) === JSON.stringify(await owners()));
  expect((await shown()).estimated).not.toBe("$0.00");
});

test.each(["alerts", "services", "costs"])("what is exported of the %s is what its owner has", async (of) => {
  const page = screen.page;
  await page.goto(`${swarm.url("hmi")}/${of}`);
  await page.getByText("live", { exact: true }).waitFor();
  const owners: Record<string, () => Promise<unknown[]>> = {
    alerts: async () => (await swarm.get<{ alerts: unknown[] }>("heartbeat-monitor", "/alerts?acked=false&limit=1000")).alerts,
    services: async () => (await swarm.get<{ services: unknown[] }>("registry", "/discover?status=any&limit=1000")).services,
    costs: async () => (await swarm.get<Stats>("gateway", "/receipts/stats?group_by=agent")).stats,
  };
  const id = (row: unknown) => JSON.stringify(Object.entries(row as object).find(([key]) => ["alert_id", "service_id", "key"].includes(key)));
  await until("the file has what the owner has", async () => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export JSONL" }).click()]);
    const text = await readFile(await download.path(), "utf8");
    const lines = text.trimEnd().split("\n");
    const expected = (await owners[of]?.()) ?? [];
    return expected.length > 0 && lines.map((row) => id(JSON.parse(row))).sort().join() === expected.map(id).sort().join();
  });
});

test("nothing that the browser complains of has happened", () => {
  expect(screen.complaints).toEqual([]);
});
