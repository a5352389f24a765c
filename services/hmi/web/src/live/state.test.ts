import { expect, test } from "vitest";
import type { PartHealth } from "../api/types";
import { NOW, beat, call, service, ts } from "../testing/known";
import { LONG_CALL_MS, NO_PROGRESS_MS, ctxRatio, fill, ofAgent, ofPart, ofService, stuck } from "./state";
import type { Agent } from "./swarm";

const agent = (more: Partial<Agent> = {}): Agent => ({
  key: "a",
  name: "a",
  service: service({ name: "a" }),
  beat: beat("a", 1),
  calls: [],
  moved_at: NOW,
  ...more,
});

test("a pause goes before a death, a death before being stuck, and all of them before its own word", () => {
  const slow = [call("gw-1", "a", { ts: ts(-LONG_CALL_MS - 1) })];
  const failed = beat("a", 1, { status: "error" });
  const of = (more: Partial<Agent>) => ofAgent(agent(more), NOW);
  expect(of({ service: service({ name: "a", paused: true, status: "down" }), calls: slow })).toBe("paused");
  expect(of({ service: service({ name: "a", status: "down" }), calls: slow, beat: failed })).toBe("down");
  expect(of({ calls: slow, beat: failed })).toBe("stuck");
  expect(of({ service: service({ name: "a", status: "degraded" }), beat: failed })).toBe("error");
  expect(of({ service: service({ name: "a", status: "degraded" }) })).toBe("degraded");
  expect(of({ beat: beat("a", 1, { status: "waiting" }) })).toBe("waiting");
  expect(of({ beat: undefined })).toBe("ok");
  expect(of({ beat: undefined, service: undefined })).toBe("unknown");
});

test("an agent is stuck on a call from the first moment after it is too long", () => {
  const waits = (ms: number) => stuck(agent({ calls: [call("gw-1", "a", { ts: ts(-ms), service: "ollama" })] }), NOW);
  expect(waits(LONG_CALL_MS)).toBe(undefined);
  expect(waits(LONG_CALL_MS + 1)).toEqual({
    since: NOW - LONG_CALL_MS - 1,
    run_id: "gw-1",
    service: "ollama",
    model: undefined,
  });
});

test("an agent is stuck without a call only if it says that it runs and nothing moves", () => {
  const at = { moved_at: NOW - NO_PROGRESS_MS - 1 };
  expect(stuck(agent(at), NOW)).toEqual({ since: at.moved_at });
  expect(stuck(agent({ moved_at: NOW - NO_PROGRESS_MS }), NOW)).toBe(undefined);
  expect(stuck(agent({ ...at, beat: beat("a", 1, { status: "idle" }) }), NOW)).toBe(undefined);
  expect(stuck(agent({ ...at, moved_at: undefined }), NOW)).toBe(undefined);
  // A call that is under way is a reason to wait.
  expect(stuck(agent({ ...at, calls: [call("gw-1", "a")] }), NOW)).toBe(undefined);
  for (const service_ of [service({ name: "a", paused: true }), service({ name: "a", status: "down" })]) {
    expect(stuck(agent({ ...at, service: service_ }), NOW)).toBe(undefined);
  }
});

test("a model or a tool is as the registry says, unless it is paused", () => {
  expect(ofService(service({ name: "m", type: "model", status: "degraded" }))).toBe("degraded");
  expect(ofService(service({ name: "m", type: "model", status: "down", paused: true }))).toBe("paused");
});

test("a part that can't be reached is down, and one that recovers is degraded", () => {
  const of = (status: PartHealth["status"]) => ofPart({ name: "p", url: "u", status, took_ms: 1 });
  expect((["ok", "degraded", "recovering", "down", "unreachable"] as const).map(of)).toEqual([
    "ok",
    "degraded",
    "degraded",
    "down",
    "down",
  ]);
});

test("a context is a worry from half on, and a danger from three quarters on", () => {
  expect([0, 0.499, 0.5, 0.749, 0.75, 2].map(fill)).toEqual(["low", "low", "warning", "warning", "breach", "breach"]);
  const of = (ctx_used: number, ctx_limit: number) =>
    ctxRatio(agent({ beat: beat("a", 1, { token_usage: { ctx_used, ctx_limit } }) }));
  expect([of(50, 100), of(0, 100), of(5, 0), ctxRatio(agent())]).toEqual([0.5, 0, undefined, undefined]);
});
