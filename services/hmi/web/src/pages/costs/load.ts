// The gateway's sums, all pages of them: a total is only ever one of all rows.

import { ApiError, get, query, refused, unreachable } from "../../api/client";
import type { GroupBy, Stats, StatsRow } from "../../api/types";

const STATS = "/api/gateway/receipts/stats";
const PER_PAGE = 1_000;
/** Groups that are held here, at the most. */
const MOST = 50_000;

export interface Wanted {
  group_by: GroupBy;
  since: string | undefined;
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

export function stats({ group_by, since }: Wanted, signal: AbortSignal): Promise<StatsRow[]> {
  return allRows((cursor) => get<Stats>(STATS + query({ group_by, since, limit: PER_PAGE, cursor }), signal));
}

/** The owner's table, all pages in one: the names of the columns stand once. */
export async function table({ group_by, since }: Wanted, signal: AbortSignal): Promise<Blob> {
  const parts: string[] = [];
  let cursor: string | undefined;
  do {
    const response = await fetched(STATS + query({ group_by, since, format: "csv", limit: PER_PAGE, cursor }), signal);
    parts.push(withoutHead(await response.text(), parts.length > 0));
    cursor = response.headers.get("x-next-cursor") ?? undefined;
  } while (cursor !== undefined);
  return new Blob(parts, { type: "text/csv;charset=utf-8" });
}

/** A page of a table, without the line of names where one came before. */
export function withoutHead(text: string, follows: boolean): string {
  return follows ? text.slice(text.indexOf("\n") + 1) : text;
}

async function fetched(url: string, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    throw signal.aborted ? error : unreachable();
  }
  if (!response.ok) throw await refused(response);
  return response;
}
