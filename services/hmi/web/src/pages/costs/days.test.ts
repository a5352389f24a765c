import { expect, test } from "vitest";
import type { StatsRow } from "../../api/types";
import { days } from "./days";

const row = (key: string, confirmed: number, estimated: number): StatsRow =>
  ({
    key,
    calls: 1,
    by_status: {},
    tokens: {},
    usd: { confirmed, estimated },
    unknown_cost_calls: 0,
  }) as unknown as StatsRow;
const NOW = Date.parse("2026-11-04T10:00:00Z");
const shown = (rows: StatsRow[], since?: string): unknown[] => {
  const { at, all, confirmed } = days(rows, since, NOW);
  return at.map((seconds, index) => [
    new Date(seconds * 1000).toISOString().slice(0, 10),
    all[index],
    confirmed[index],
  ]);
};

test("days without a call stand there with nothing, up to today", () => {
  expect(shown([row("2026-11-03", 0.1, 0.2), row("2026-11-01", 1, 0)], "2026-11-01T00:00:00Z")).toEqual([
    ["2026-11-01", 1, 1],
    ["2026-11-02", 0, 0],
    ["2026-11-03", 0.3, 0.1],
    ["2026-11-04", 0, 0],
  ]);
});

test("all time begins with the first call, and is a week at the least", () => {
  const days = (rows: StatsRow[]): unknown[] => shown(rows).map((day) => (day as unknown[])[0]);
  expect(days([])).toEqual(
    ["29", "30", "31"].map((day) => `2026-10-${day}`).concat(["01", "02", "03", "04"].map((day) => `2026-11-${day}`)),
  );
  expect(days([row("2026-10-01", 1, 0)])).toHaveLength(35);
});

test("the first day is the one that was asked for", () => {
  expect(shown([], "2026-11-03T15:00:00Z")).toEqual([
    ["2026-11-03", 0, 0],
    ["2026-11-04", 0, 0],
  ]);
});
