import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Transition } from "../../api/types";
import { kept, told } from "./transitions";

const of = (kind: string, more: Partial<Transition> = {}): Transition => ({
  seq: 1,
  ts: "2025-11-06T10:30:00.000Z",
  kind,
  missed_beats: 0,
  ...more,
});

test("a transition is told with what it led to", () => {
  const missed = of("beat_missed", { missed_beats: 1, from_status: "ok", to_status: "degraded" });
  expect(told(missed)).toEqual({ state: "degraded", what: "missed 1 beat: ok → degraded" });
  const again = of("beat_missed", { missed_beats: 2, from_status: "down", to_status: "down" });
  expect(told(again)).toEqual({ state: "down", what: "missed 2 beats" });
  expect(told(of("promoted", { from_role: "staging", to_role: "canary" })).what).toBe("staging → canary");
  expect(told(of("evicted", { from_status: "down" })).state).toBe("down");
});

test("every kind of the registry's has words of its own", () => {
  const api = JSON.parse(
    readFileSync(new URL("../../../../../../contracts/openapi/registry.json", import.meta.url), "utf8"),
  ) as {
    components: { schemas: { TransitionKind: { enum: string[] } } };
  };
  const kinds = api.components.schemas.TransitionKind.enum;
  // Those of the registry itself never stand in a service's history.
  const ofServices = kinds.filter((kind) => !["brake_on", "brake_off", "stalled"].includes(kind));
  expect(ofServices.length).toBeGreaterThan(10);
  for (const kind of ofServices) {
    const { what } = told(of(kind, { from_role: "canary", to_role: "staging", to_status: "ok", missed_beats: 2 }));
    if (!["paused", "resumed"].includes(kind)) expect(what, kind).not.toBe(kind.replaceAll("_", " "));
  }
});

test("what was there before is the same object at the next look, and what is new comes in front", () => {
  const before = [of("paused", { seq: 2 }), of("registered", { seq: 1 })];
  const after = kept(before, [of("resumed", { seq: 3 }), of("paused", { seq: 2 }), of("registered", { seq: 1 })]);
  expect(after.map(({ kind }) => kind)).toEqual(["resumed", "paused", "registered"]);
  expect(after[1]).toBe(before[0]);
  expect(after[2]).toBe(before[1]);
  const other = of("evicted", { seq: 1, ts: "2025-11-07T10:30:00.000Z" });
  expect(kept(before, [other])).toEqual([other]);
});
