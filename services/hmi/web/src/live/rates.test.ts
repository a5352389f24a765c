import { expect, test } from "vitest";
import type { CallStatus } from "../api/types";
import { seeds } from "../testing/random";
import { type Call, KEPT_S, Window, isFailure } from "./rates";

const NOW = 1_762_425_000_500;
const STATUSES: CallStatus[] = ["ok", "error", "cut", "cancelled", "refused", "lost"];

/** Calls within the last `span_s` seconds, in any order. */
function calls(
  random: { below(n: number): number; pick<T>(of: readonly T[]): T; chance(of: number): boolean },
  span_s: number,
): Call[] {
  return Array.from({ length: random.below(400) }, () => ({
    at: NOW - random.below(span_s * 1_000),
    status: random.pick(STATUSES),
    total_ms: random.chance(0.9) ? random.below(5_000) : undefined,
    usage: random.chance(0.7)
      ? {
          input: random.below(900),
          output: random.below(90),
          cache_read: 5,
          cache_write: 5,
          reasoning: 5,
          source: "provider" as const,
        }
      : undefined,
  }));
}

const second = (call: Call) => Math.floor(call.at / 1_000);
const tokens = (call: Call) => (call.usage ? call.usage.input + call.usage.output : 0);

test("rates are those of the whole seconds of the span, counted one by one", () => {
  seeds(100, (random) => {
    const window = new Window(NOW);
    const given = calls(random, 300);
    for (const call of given) window.add(call);
    window.begin(NOW - 300_000);
    const span_s = 1 + random.below(290);
    const end = Math.floor(NOW / 1_000);
    const counted = given.filter((call) => second(call) >= end - span_s && second(call) < end);
    const latencies = counted
      .filter((call) => call.total_ms !== undefined && call.status !== "refused" && call.status !== "lost")
      .map((call) => call.total_ms as number)
      .sort((a, b) => a - b);
    const quantile = (q: number) => latencies[Math.max(0, Math.ceil(q * latencies.length) - 1)] ?? null;
    const sum = counted.reduce((sum, call) => sum + tokens(call), 0);
    expect(window.rates(NOW, span_s)).toEqual({
      calls: counted.length,
      failed: counted.filter((call) => isFailure(call.status)).length,
      calls_per_s: counted.length / span_s,
      tokens_per_s: sum / span_s,
      p50_ms: quantile(0.5),
      p95_ms: quantile(0.95),
    });
  });
});

test("a chart's steps add up to what was counted, and are nothing where nothing is known", () => {
  seeds(50, (random) => {
    const window = new Window(NOW);
    const given = calls(random, 600);
    for (const call of given) window.add(call);
    const known_s = 60 + random.below(500);
    window.begin(NOW - known_s * 1_000);
    const from = Math.ceil((NOW - known_s * 1_000) / 1_000);
    const series = window.series(NOW, 600, 5);
    series.at.forEach((step, index) => {
      if (step < from) {
        expect([series.calls[index], series.failed[index], series.tokens[index]]).toEqual([null, null, null]);
        return;
      }
      const counted = given.filter((call) => second(call) >= step && second(call) < step + 5);
      expect(series.calls[index]).toBe(counted.length / 5);
      expect(series.failed[index]).toBe(counted.filter((call) => isFailure(call.status)).length / 5);
      expect(series.tokens[index]).toBe(counted.reduce((sum, call) => sum + tokens(call), 0) / 5);
    });
    expect(series.at.length).toBe(120);
    expect(series.at.at(-1)).toBeLessThanOrEqual(Math.floor(NOW / 1_000) - 5);
  });
});

test("what is older than what is kept is forgotten, and then isn't counted as nothing", () => {
  const window = new Window(NOW);
  for (let s = 0; s < KEPT_S * 3; s += 1) window.add({ at: NOW + s * 1_000, status: "ok" });
  const end = NOW + KEPT_S * 3 * 1_000;
  expect(window.rates(end, 60).calls).toBe(60);
  const { calls, at } = window.series(end, KEPT_S * 2, 10);
  expect(calls[0]).toBe(null);
  expect(calls.filter((it) => it !== null).every((it) => it === 1)).toBe(true);
  expect(calls.filter((it) => it !== null).length).toBeGreaterThan(at.length / 2 - 3);
});

test("a burst within one second is counted whole, and its latencies stand for all", () => {
  const window = new Window(NOW - 2_000);
  for (let n = 0; n < 5_000; n += 1) window.add({ at: NOW - 1_000, status: "ok", total_ms: 100 + (n % 100) });
  const { calls, p50_ms, p95_ms } = window.rates(NOW, 1);
  expect(calls).toBe(5_000);
  expect(p50_ms).toBeGreaterThanOrEqual(100);
  expect(p95_ms).toBeLessThan(200);
});
