import { describe, expect, test } from "vitest";
import { type Truths, disagreements, truthsOf } from "./truths";

const T = Date.parse("2026-01-01T00:00:10Z");
const call = (ts: string) => ({ run_id: "gw-1", ts, age_ms: 0, route: "/invoke" });
const well: Truths = {
  says: { status: "running", at: T },
  registry: { status: "ok", missed_beats: 0 },
  probe: { reachability: "reachable", latency_ms: 3 },
  calls: [call("2026-01-01T00:00:05Z")],
  listed: true,
};

describe("where the truths disagree", () => {
  test("nothing is said when all say the same", () => {
    expect(disagreements(well)).toEqual([]);
    expect(disagreements({ ...well, probe: { reachability: "unprobed" } })).toEqual([]);
    expect(disagreements({ calls: [], listed: true, registry: { status: "ok", missed_beats: 0 } })).toEqual([]);
  });

  test("an agent that says that it runs, and is down by the registry, is in two states", () => {
    expect(disagreements({ ...well, registry: { status: "down", missed_beats: 2 }, probe: undefined })).toEqual([
      "Its last word is “running”, the registry has it as down: 2 beats are missing.",
    ]);
    expect(disagreements({ ...well, registry: { status: "degraded", missed_beats: 1 } })).toEqual([
      "Its last word is “running”, the registry has it as degraded: 1 beat is missing.",
    ]);
  });

  test("an agent that says itself that it is not well agrees with a registry that says so", () => {
    for (const status of ["degraded", "down", "error"] as const) {
      expect(
        disagreements({ ...well, says: { status, at: T }, registry: { status: "degraded", missed_beats: 0 } }),
      ).toEqual([]);
    }
  });

  test("the registry and the probe may disagree both ways", () => {
    expect(disagreements({ ...well, probe: { reachability: "unreachable" } })).toEqual([
      "The registry has it as ok, the probe can't reach it.",
    ]);
    expect(disagreements({ ...well, says: undefined, registry: { status: "down", missed_beats: 2 } })).toEqual([
      "The registry has it as down, and it answers the probe.",
    ]);
  });

  test("an agent that says that it is done has no older call under way", () => {
    expect(disagreements({ ...well, says: { status: "done", at: T } })).toEqual([
      "It says “done”, and 1 of its calls is under way.",
    ]);
    const later = { ...well, says: { status: "done" as const, at: T }, calls: [call("2026-01-01T00:00:11Z")] };
    expect(disagreements(later)).toEqual([]);
  });

  test("an agent that speaks and is not listed is told", () => {
    expect(disagreements({ says: well.says, calls: [], listed: false })).toEqual([
      "It publishes events, and the registry does not list it.",
    ]);
  });
});

test("the truths are taken from the agent and from the registry's look at it", () => {
  const beat = { seq: 1, ts: "2026-01-01T00:00:10Z", event_type: "heartbeat", agent: "a", status: "idle" } as const;
  const service = { status: "degraded" } as never;
  const view = { missed_beats: 1, probe: { reachability: "unprobed" } } as never;
  expect(truthsOf({ key: "1", name: "a", beat, service, calls: [] }, view)).toEqual({
    says: { status: "idle", at: T },
    registry: { status: "degraded", missed_beats: 1 },
    probe: { reachability: "unprobed" },
    calls: [],
    listed: true,
  });
});
