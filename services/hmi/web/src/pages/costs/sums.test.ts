import { expect, test } from "vitest";
import type { StatsRow } from "../../api/types";
import { dollars, failed, nanos, nothing, ofRow, total } from "./sums";

const row = (confirmed: number, estimated: number, more: Partial<StatsRow> = {}): StatsRow => ({
  key: "a",
  calls: 1,
  by_status: { ok: 1, error: 0, cut: 0, cancelled: 0, refused: 0, lost: 0 },
  tokens: { input: 1, output: 2, cache_read: 3, cache_write: 4, reasoning: 5 },
  usd: { confirmed, estimated },
  unknown_cost_calls: 0,
  ...more,
});

test("the total of many small sums is exact to a nano-dollar", () => {
  const rows = Array.from({ length: 10_000 }, () => ofRow(row(0.1, 0.000000001)));
  const all = total(rows);
  expect([all.confirmed_nanos, all.estimated_nanos]).toEqual([1_000_000_000_000, 10_000]);
  expect(dollars(nanos(all))).toBe(1000.00001);
});

test("a total has every column of its rows", () => {
  const by_status = { ok: 1, error: 2, cut: 3, cancelled: 4, refused: 5, lost: 6 };
  const all = total([ofRow(row(1, 2, { calls: 21, by_status, unknown_cost_calls: 7 })), ofRow(row(0.5, 0))]);
  expect(all).toEqual({
    calls: 22,
    by_status: { ok: 2, error: 2, cut: 3, cancelled: 4, refused: 5, lost: 6 },
    tokens: { input: 2, output: 4, cache_read: 6, cache_write: 8, reasoning: 10 },
    confirmed_nanos: 1_500_000_000,
    estimated_nanos: 2_000_000_000,
    unknown_cost_calls: 7,
  });
  expect(failed(all)).toBe(16);
});

test("the total of nothing is nothing, and adding changes no row", () => {
  expect(total([])).toEqual(nothing());
  const one = ofRow(row(1, 1));
  total([one, one]);
  expect(one).toEqual(ofRow(row(1, 1)));
});
