// Sums of the gateway's own sums. Dollars are added as whole nano-dollars, so that nothing is lost or made up.

import type { CallStatus, StatsRow } from "../../api/types";

const NANOS = 1_000_000_000;

export interface Sums {
  calls: number;
  by_status: Record<CallStatus, number>;
  tokens: StatsRow["tokens"];
  confirmed_nanos: number;
  estimated_nanos: number;
  unknown_cost_calls: number;
}

export function nothing(): Sums {
  return {
    calls: 0,
    by_status: { ok: 0, error: 0, cut: 0, cancelled: 0, refused: 0, lost: 0 },
    tokens: { input: 0, output: 0, cache_read: 0, cache_write: 0, reasoning: 0 },
    confirmed_nanos: 0,
    estimated_nanos: 0,
    unknown_cost_calls: 0,
  };
}

export function ofRow({ calls, by_status, tokens, usd, unknown_cost_calls }: StatsRow): Sums {
  return {
    calls,
    by_status: { ...nothing().by_status, ...by_status },
    tokens: { ...tokens },
    confirmed_nanos: Math.round(usd.confirmed * NANOS),
    estimated_nanos: Math.round(usd.estimated * NANOS),
    unknown_cost_calls,
  };
}

/** Adds `more` to `sums`. */
export function add(sums: Sums, more: Sums): void {
  sums.calls += more.calls;
  sums.confirmed_nanos += more.confirmed_nanos;
  sums.estimated_nanos += more.estimated_nanos;
  sums.unknown_cost_calls += more.unknown_cost_calls;
  for (const status of Object.keys(sums.by_status) as CallStatus[]) sums.by_status[status] += more.by_status[status];
  for (const kind of Object.keys(sums.tokens) as (keyof Sums["tokens"])[]) sums.tokens[kind] += more.tokens[kind];
}

export function total(all: Iterable<Sums>): Sums {
  const sums = nothing();
  for (const one of all) add(sums, one);
  return sums;
}

/** Calls that were neither answered whole nor given up by their caller. */
export function failed({ by_status }: Sums): number {
  return by_status.error + by_status.cut + by_status.refused + by_status.lost;
}

/** What is known to be spent, estimates too. */
export function nanos({ confirmed_nanos, estimated_nanos }: Sums): number {
  return confirmed_nanos + estimated_nanos;
}

export const dollars = (nanos: number): number => nanos / NANOS;
