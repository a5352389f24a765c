// What calls did lately, second by second, from their receipts.

import type { CallStatus, Usage } from "../api/types";

/** Seconds that are kept. */
export const KEPT_S = 600;
/** Latencies that are kept of one second; beyond, one in so many stands for all. */
const LATENCIES = 200;

export interface Call {
  /** When it ended, in milliseconds since 1970. */
  at: number;
  status: CallStatus;
  total_ms?: number;
  usage?: Usage;
}

export interface Second {
  calls: number;
  failed: number;
  tokens: number;
  latencies: number[];
}

export interface Rates {
  calls_per_s: number;
  tokens_per_s: number;
  calls: number;
  failed: number;
  /** Of the calls that were answered; null when there was none. */
  p50_ms: number | null;
  p95_ms: number | null;
}

export class Window {
  private seconds = new Map<number, Second>();
  /** From when on all calls are in it, in seconds since 1970. */
  private from: number;

  constructor(now: number) {
    this.from = Math.floor(now / 1000);
  }

  clear(): void {
    this.seconds.clear();
  }

  /** Calls from this time on are all given to `add`. */
  begin(at: number): void {
    this.from = Math.ceil(at / 1000);
  }

  add(call: Call): void {
    const key = Math.floor(call.at / 1000);
    let second = this.seconds.get(key);
    if (!second) {
      second = { calls: 0, failed: 0, tokens: 0, latencies: [] };
      this.seconds.set(key, second);
      this.forget(key);
    }
    second.calls += 1;
    if (isFailure(call.status)) second.failed += 1;
    if (call.usage) second.tokens += call.usage.input + call.usage.output;
    if (call.total_ms === undefined || call.status === "refused" || call.status === "lost") return;
    if (second.latencies.length < LATENCIES) second.latencies.push(call.total_ms);
    else if (second.calls % 8 === 0) second.latencies[(second.calls >> 3) % LATENCIES] = call.total_ms;
  }

  /** Of the `span_s` seconds before `now`, or of as many as there are. */
  rates(now: number, span_s = 60): Rates {
    const end = Math.floor(now / 1000);
    const start = Math.max(end - span_s, this.from);
    const latencies: number[] = [];
    let [calls, failed, tokens] = [0, 0, 0];
    for (let key = start; key < end; key += 1) {
      const second = this.seconds.get(key);
      if (!second) continue;
      calls += second.calls;
      failed += second.failed;
      tokens += second.tokens;
      for (const it of second.latencies) latencies.push(it);
    }
    const lasted = Math.max(end - start, 1);
    latencies.sort((a, b) => a - b);
    return {
      calls_per_s: calls / lasted,
      tokens_per_s: tokens / lasted,
      calls,
      failed,
      p50_ms: quantile(latencies, 0.5),
      p95_ms: quantile(latencies, 0.95),
    };
  }

  /** Sums over steps of `step_s` seconds, the oldest first; null where nothing is known. */
  series(now: number, span_s: number, step_s: number): { at: number[]; calls: (number | null)[]; failed: (number | null)[]; tokens: (number | null)[] } {
    const end = Math.floor(now / 1000 / step_s) * step_s;
    const series = { at: [] as number[], calls: [] as (number | null)[], failed: [] as (number | null)[], tokens: [] as (number | null)[] };
    for (let step = end - span_s; step < end; step += step_s) {
      series.at.push(step);
      if (step < this.from) {
        series.calls.push(null);
        series.failed.push(null);
        series.tokens.push(null);
        continue;
      }
      let [calls, failed, tokens] = [0, 0, 0];
      for (let key = step; key < step + step_s; key += 1) {
        const second = this.seconds.get(key);
        calls += second?.calls ?? 0;
        failed += second?.failed ?? 0;
        tokens += second?.tokens ?? 0;
      }
      series.calls.push(calls / step_s);
      series.failed.push(failed / step_s);
      series.tokens.push(tokens / step_s);
    }
    return series;
  }

  private forget(newest: number): void {
    if (this.seconds.size <= KEPT_S) return;
    for (const key of this.seconds.keys()) {
      if (key < newest - KEPT_S) this.seconds.delete(key);
    }
    this.from = Math.max(this.from, newest - KEPT_S);
  }
}

export function isFailure(status: CallStatus): boolean {
  return status !== "ok" && status !== "cancelled";
}

function quantile(sorted: number[], q: number): number | null {
  return sorted.length === 0 ? null : (sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? null);
}
