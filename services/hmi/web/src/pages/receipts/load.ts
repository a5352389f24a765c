// What the gateway is asked about receipts.

import { ApiError, fetched, get, query } from "../../api/client";
import type { Receipt, ReceiptPage } from "../../api/types";
import type { Filter } from "./row";

const LIST = "/api/gateway/receipts";
/** A call is settled a moment before its receipt can be read, under load. */
const PAUSES_MS = [150, 300, 600, 1_200];

export const PAGE = 100;

export function page(filter: Filter, cursor: string | undefined, signal: AbortSignal): Promise<ReceiptPage> {
  return get<ReceiptPage>(LIST + query({ ...filter, limit: PAGE, cursor }), signal);
}

export interface Loaded {
  receipt: Receipt;
  /** As the journal has it, byte for byte. */
  text: string;
}

/** One receipt. One that isn't there yet is waited for, if it was settled just now. */
export async function receipt(run_id: string, signal: AbortSignal, { patient = false } = {}): Promise<Loaded> {
  const url = `${LIST}/${encodeURIComponent(run_id)}`;
  for (const pause of patient ? PAUSES_MS : []) {
    try {
      return await once(url, signal);
    } catch (error) {
      if (!(error instanceof ApiError) || (error.status !== 404 && error.status !== 503)) throw error;
    }
    await new Promise((done) => setTimeout(done, pause));
  }
  return once(url, signal);
}

async function once(url: string, signal: AbortSignal): Promise<Loaded> {
  const text = await body(url, signal);
  return { receipt: JSON.parse(text) as Receipt, text };
}

/** A page as its text, of which records can be kept as the journal has them. */
export function pageText(
  filter: Filter,
  cursor: string | undefined,
  limit: number,
  signal: AbortSignal,
): Promise<string> {
  return body(LIST + query({ ...filter, limit, cursor }), signal);
}

async function body(url: string, signal: AbortSignal): Promise<string> {
  return (await fetched(url, signal)).text();
}
