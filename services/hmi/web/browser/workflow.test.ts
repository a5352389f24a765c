// full_workflow: Architect asks the gateway, a local model answers, the receipt is written, and all of it is seen.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Receipt } from "../src/api/types";
import { Screen } from "./screen";
import { Swarm, until } from "./swarm";

let swarm: Swarm;
let screen: Screen;

beforeAll(async () => {
  swarm = await Swarm.start();
  const scripted = await swarm.scripted("--model", "local-writer");
  await swarm.register({
    name: "local-writer",
    type: "model",
    role: "production",
    url: scripted,
    caps: ["infer", "chat", "plan"],
    labels: { dialects: "openai.chat", locality: "local", models: "local-writer" },
  });
  await swarm.register({ name: "Architect", role: "coordinator" });
  screen = await Screen.open(swarm.url("hmi"));
  await screen.page.getByText("live", { exact: true }).waitFor();
});

afterAll(async () => {
  await screen?.close();
  await swarm?.stop();
});

const CALLS = [
  { caps: ["classify"], payload: { text: "quantum entanglement physics" }, by: "tlc-domain-classifier" },
  { caps: ["plan"], payload: { prompt: "a plan for the week" }, by: "local-writer" },
];

test.each(CALLS)("a call for $caps is answered by $by, and its receipt is seen as it is", async ({ caps, payload, by }) => {
  const { page } = screen;
  const call = { target: { type: "model", role: "production", require_caps: caps }, payload, policy: { prefer: "local", timeout_s: 30 }, agent: "Architect" };
  const answer = await until("it is answered", () => swarm.post<{ run_id: string; served_by?: unknown }>("gateway", "/invoke", call));
  const receipt = await until("its receipt is there", () => swarm.get<Receipt>("gateway", `/receipts/${answer.run_id}`));
  expect(receipt).toMatchObject({ status: "ok", agent: "Architect", resolved: { name: by }, cost_estimate: { usd: 0, state: "confirmed" } });

  await page.goto(swarm.url("hmi"));
  await page.getByText("live", { exact: true }).waitFor();
  await swarm.post("gateway", "/invoke", call);
  const latest = page.getByRole("region", { name: "Latest calls" }).getByRole("link", { name: by });
  await latest.first().waitFor();
  expect(await latest.first().innerText()).toMatch(/ok[\s\S]*Architect →/);

  await page.goto(`${swarm.url("hmi")}/receipts/${answer.run_id}`);
  await page.getByText(answer.run_id).first().waitFor();
  await page.getByText(by).first().waitFor();
  await page.goto(`${swarm.url("hmi")}/services`);
  await page.getByRole("row").filter({ hasText: by }).first().waitFor();
});

test("nothing that the browser complains of has happened", () => {
  expect(screen.complaints).toEqual([]);
});
