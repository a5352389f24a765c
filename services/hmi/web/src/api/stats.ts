// The gateway's sums, all pages of them: a total is only ever one of all rows.

import { ApiError, get, query } from "./client";
import type { GroupBy, Stats, StatsRow } from "./types";

export const STATS = "/api/gateway/receipts/stats";
export const PER_PAGE = 1_000;
/** Groups that are held here, at the most. */
const MOST = 50_000;

export interface Wanted {
  group_by: GroupBy;
  since?: string | undefined;
}

type Page = (cursor: string | undefined) => Promise<Pick<Stats, "stats" | "next_cursor">>;

/** Follows the pages to the end. */
export async function allRows(page: Page, most = MOST): Promise<StatsRow[]> {
  const rows: StatsRow[] = [];
  let cursor: string | undefined;
  do {
    const { stats, next_cursor } = await page(cursor);
    rows.push(...stats);
    if (rows.length > most)
      throw new ApiError(`there are more than ${most} groups: choose a shorter time`, 0, "too_many");
    cursor = next_cursor ?? undefined;
  } while (cursor !== undefined);
  return rows;
}

export function stats({ group_by, since }: Wanted, signal?: AbortSignal): Promise<StatsRow[]> {
  return allRows((cursor) => get<Stats>(STATS + query({ group_by, since, limit: PER_PAGE, cursor }), signal));
}
