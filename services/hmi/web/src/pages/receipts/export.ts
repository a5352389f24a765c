// The calls that a filter admits, all of them, as a file: page by page from the gateway, into a Blob that the browser keeps.

import type { Receipt } from "../../api/types";
import { asked } from "../../lib/asked";
import { type Field, row } from "../../lib/csv";
import { recordsOf } from "./records";

export type Format = "jsonl" | "csv";

/** Receipts in one file, at the most. */
export const MOST = 100_000;
/** As many as are taken apart in a moment. */
const PER_PAGE = 500;

export interface Exported {
  blob: Blob;
  count: number;
  /** Whether there are more than it holds. */
  more: boolean;
}

type LoadPage = (cursor: string | undefined, limit: number) => Promise<string>;

/** Follows the pages; `told` hears how many there are so far. */
export async function exported(
  format: Format,
  load: LoadPage,
  told: (count: number) => void,
  most = MOST,
): Promise<Exported> {
  const parts: Blob[] = format === "csv" ? [new Blob([row(COLUMNS)])] : [];
  let count = 0;
  let cursor: string | undefined;
  for (;;) {
    const { records, next_cursor } = recordsOf(await load(cursor, Math.min(PER_PAGE, most - count)));
    count += records.length;
    const lines =
      format === "csv"
        ? records.map((text) => row(fields(JSON.parse(text) as Receipt)))
        : records.map((text) => `${text}\n`);
    // Blobs of a page each: what is done lies where the browser puts it, not in one string.
    parts.push(new Blob([lines.join("")]));
    told(count);
    cursor = next_cursor ?? undefined;
    if (cursor === undefined || count >= most) break;
  }
  const type = format === "csv" ? "text/csv;charset=utf-8" : "application/x-ndjson";
  return { blob: new Blob(parts, { type }), count, more: cursor !== undefined };
}

const COLUMNS = [
  "run_id",
  "ts",
  "status",
  "agent",
  "agent_run_id",
  "budget",
  "route",
  "dialect_in",
  "dialect_out",
  "policy",
  "service",
  "model",
  "model_reported",
  "provider",
  "attempts",
  "total_ms",
  "first_token_ms",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "reasoning_tokens",
  "usage_source",
  "usd",
  "cost_state",
  "price_version",
  "error",
  "error_message",
  "seq",
  "hash",
];

function fields(receipt: Receipt): Field[] {
  const { dialect, policy, resolved, timings_ms, usage, cost_estimate, error } = receipt;
  const by = asked(receipt);
  return [
    receipt.run_id,
    receipt.ts,
    receipt.status,
    receipt.agent,
    receipt.agent_run_id,
    receipt.budget,
    receipt.route,
    dialect?.in,
    dialect?.out,
    policy?.name,
    by?.name,
    by?.model,
    resolved?.model_reported,
    by?.provider,
    receipt.attempts?.length ?? 0,
    timings_ms.total,
    timings_ms.first_token,
    usage?.input,
    usage?.output,
    usage?.cache_read,
    usage?.cache_write,
    usage?.reasoning,
    usage?.source,
    cost_estimate.usd,
    cost_estimate.state,
    cost_estimate.price_version,
    error?.code,
    error?.message,
    receipt.seq,
    receipt.hash,
  ];
}
