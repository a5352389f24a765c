import { expect, test } from "vitest";
import type { PartHealth } from "../api/types";
import { NOW, alert, beat, call, service, spend, ts, update } from "../testing/known";
import { type Item, type Known, attention } from "./attention";
import type { Agent } from "./swarm";

const none: Known = { now: NOW, agents: [], services: [], alerts: [], parts: [] };
const agent = (name: string, more: Partial<Agent> = {}): Agent => ({
  key: name,
  name,
  service: service({ name }),
  beat: beat(name, 1),
  calls: [],
  moved_at: NOW,
  ...more,
});
const model = (more: Partial<Parameters<typeof service>[0]> = {}) =>
  service({ name: "ollama", type: "model", ...more });
const brief = (items: Item[]) => items.map(({ level, name, what }) => `${level}: ${name} ${what}`);

test("what is well needs nobody", () => {
  const part: PartHealth = { name: "gateway", url: "u", status: "ok", took_ms: 1 };
  const services = [model(), service({ name: "s", type: "service", status: "down" })];
  expect(attention({ ...none, agents: [agent("a")], services, parts: [part] })).toEqual([]);
});

test("the worst comes first, and of equals the one that has lasted the longest", () => {
  const slow = (name: string, ms: number) => agent(name, { calls: [call(`gw-${name}`, name, { ts: ts(-ms) })] });
  const items = attention({
    ...none,
    agents: [agent("p", { service: service({ name: "p", paused: true }) }), slow("young", 30_000), slow("old", 90_000)],
    services: [model({ status: "degraded" })],
    parts: [{ name: "gateway", url: "u", status: "unreachable", took_ms: 1 }],
  });
  expect(brief(items)).toEqual([
    "critical: gateway can't be reached",
    "critical: old is stuck",
    "critical: young is stuck",
    "warning: ollama is degraded",
    "info: p is paused",
  ]);
});

test("what is stuck names the call that holds it up, and what it has cost", () => {
  const held = agent("a", {
    calls: [call("gw-7", "a", { ts: ts(-25_000), service: "ollama" })],
    spend: spend("a", 3, 0.2),
  });
  const [item] = attention({ ...none, agents: [held] });
  expect(item).toEqual({
    id: "agent:a",
    level: "critical",
    kind: "agent",
    name: "a",
    href: "/tree/a",
    what: "is stuck",
    why: "waits 25 s for an answer of ollama",
    since: NOW - 25_000,
    spend: spend("a", 3, 0.2),
    run_id: "gw-7",
    alerts: [],
  });
});

test("an agent has one entry, for the worst that holds of it", () => {
  const usage = (ctx_used: number) => ({ token_usage: { ctx_used, ctx_limit: 100 } });
  const failed = beat("a", 1, { status: "error", ...usage(90) });
  const of = (more: Partial<Agent>) => brief(attention({ ...none, agents: [agent("a", more)] }));
  expect(of({ beat: failed, said: update("a", 1, { message: "out of disk" }) })).toEqual(["critical: a has failed"]);
  expect(of({ beat: beat("a", 1, usage(80)) })).toEqual(["warning: a is running out of context"]);
  expect(of({ beat: beat("a", 1, usage(60)) })).toEqual([]);
  expect(of({ beat: failed, service: service({ name: "a", status: "down" }) })).toEqual(["critical: a is down"]);
});

test("a door without a credential alarms nobody", () => {
  const services = [model({ status: "down", status_reasons: ["says: no_credential: set ANTHROPIC_API_KEY"] })];
  expect(attention({ ...none, services })).toEqual([]);
});

test("an open alert about something that is listed belongs to it, however old", () => {
  const alerts = [alert("1", { ts: ts(-90_000_000) }), alert("2"), alert("3", { acked: true })];
  const [item, ...more] = attention({ ...none, services: [model({ status: "down" })], alerts });
  expect([item?.name, item?.alerts, more]).toEqual(["ollama", ["1", "2"], []]);
});

test("other open alerts stand for themselves, those of one kind together, good news and old ones not at all", () => {
  const alerts = [
    alert("1", { ts: ts(-60_000), message: "first" }),
    alert("2", { ts: ts(-30_000), severity: "critical", message: "second" }),
    alert("3", { alert_type: "recovered", severity: "info" }),
    alert("4", { service_name: "other", ts: ts(-3_600_001) }),
    alert("5", { service_name: "third", alert_type: "hop_limit" }),
  ];
  const items = attention({ ...none, alerts });
  expect(brief(items)).toEqual(["critical: ollama heartbeat miss, 2 times", "warning: third hop limit"]);
  expect(items[0]).toMatchObject({ href: "/alerts/2", why: "second", alerts: ["1", "2"], since: NOW - 30_000 });
});

test("each entry has an id of its own", () => {
  const agents = ["a", "b"].map((name) => agent(name, { service: service({ name, status: "down" }) }));
  const services = ["m", "n"].map((name) => model({ name, service_id: name, status: "down" }));
  const items = attention({ ...none, agents, services, alerts: [alert("1"), alert("2", { service_name: "x" })] });
  expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
});
