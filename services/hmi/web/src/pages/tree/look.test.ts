import { describe, expect, test } from "vitest";
import { diameterOf, lookOfAgent, lookOfService } from "./look";

test("a node is as large as its context is full, from 8 to 48", () => {
  expect([0, 0.5, 1, 7, -1].map(diameterOf)).toEqual([8, 28, 48, 48, 8]);
  expect([diameterOf(undefined), diameterOf(Number.NaN)]).toEqual([18, 18]);
});

describe("what is written beside a node", () => {
  const beat = { seq: 1, ts: "2026-01-01T00:00:00Z", event_type: "heartbeat", agent: "a", status: "running" } as const;
  const now = Date.parse(beat.ts);

  test("an agent's state, context and calls", () => {
    const service = { paused: false, status: "ok" } as never;
    const call = { run_id: "gw-1", ts: beat.ts, age_ms: 0, route: "/invoke" };
    const full = { ...beat, token_usage: { ctx_used: 750, ctx_limit: 1000 } };
    expect(lookOfAgent({ key: "1", name: "a", service, beat: full, calls: [call] }, now)).toEqual({
      state: "running",
      diameter: 38,
      note: "running · 75 % · 1 in flight",
    });
  });

  test("that the registry does not know an agent", () => {
    expect(lookOfAgent({ key: "name:a", name: "a", beat, calls: [] }, now).note).toBe("running · not registered");
  });

  test("a model's state and latency", () => {
    expect(lookOfService({ paused: false, status: "degraded", status_reasons: [], p95_ms: 340 } as never).note).toBe(
      "degraded · 340 ms",
    );
  });
});
