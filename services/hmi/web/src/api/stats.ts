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

export interface AllRows {
  rows: StatsRow[];
  /** Records that the sums lack, since the gateway's index had not taken them in. */
  behind: number;
}

type Page = (cursor: string | undefined) => Promise<Pick<Stats, "stats" | "next_cursor" | "behind">>;

/** Follows the pages to the end. */
export async function allRows(page: Page, most = MOST): Promise<AllRows> {
  const rows: StatsRow[] = [];
  let behind = 0;
  let cursor: string | undefined;
  do {
    const { stats, next_cursor, behind: lacking = 0 } = await page(cursor);
    rows.push(...stats);
    behind = Math.max(behind, lacking);
    if (rows.length > most)
      throw new ApiError(`there are more than ${most} groups: choose a shorter time`, 0, "too_many");
    cursor = next_cursor ?? undefined;
  } while (cursor !== undefined);
  return { rows, behind };
}

export function stats({ group_by, since }: Wanted, signal?: AbortSignal): Promise<AllRows> {
  return allRows((cursor) => get<Stats>(STATS + query({ group_by, since, limit: PER_PAGE, cursor }), signal));
}
