// Spend day by day, for a chart: days without a call cost nothing, and stand there too.

import type { StatsRow } from "../../api/types";
import { dollars, ofRow } from "./sums";

const DAY_S = 86_400;
/** Days that are drawn, at the most: the latest. */
const MOST = 400;

export interface Days {
  /** Midnights, UTC, in seconds since 1970. */
  at: number[];
  all: number[];
  confirmed: number[];
}

/** From the first day that is asked for, or that has calls, to today. */
export function days(rows: StatsRow[], since: string | undefined, now: number): Days {
  const byDay = new Map(rows.flatMap((row) => (row.key === null ? [] : [[secondsOf(row.key), ofRow(row)] as const])));
  const today = midnight(now / 1000);
  // A day alone says little: all time is a week at the least.
  const first = since === undefined ? Math.min(...byDay.keys(), today - 6 * DAY_S) : midnight(Date.parse(since) / 1000);
  const found: Days = { at: [], all: [], confirmed: [] };
  // A gateway whose clock is ahead has days after today.
  const last = Math.max(today, ...byDay.keys());
  for (let at = Math.max(first, last - (MOST - 1) * DAY_S); at <= last; at += DAY_S) {
    const sums = byDay.get(at);
    found.at.push(at);
    found.confirmed.push(dollars(sums?.confirmed_nanos ?? 0));
    found.all.push(dollars((sums?.confirmed_nanos ?? 0) + (sums?.estimated_nanos ?? 0)));
  }
  return found;
}

const midnight = (seconds: number): number => Math.floor(seconds / DAY_S) * DAY_S;
const secondsOf = (day: string): number => Date.parse(`${day}T00:00:00Z`) / 1000;
