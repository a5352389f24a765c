// The gateway's sums as its own table, to take along.

import { fetched, query } from "../../api/client";
import { PER_PAGE, STATS, type Wanted } from "../../api/stats";

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
