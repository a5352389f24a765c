// A call as a row of the list: from its receipt, or from the event that told of it.

import type { CallStatus, Cost, Receipt, ReceiptEvent, Usage } from "../../api/types";
import { asked } from "../../lib/asked";

export interface Row {
  run_id: string;
  /** When the call came in, in milliseconds since 1970. */
  at: number;
  status: CallStatus;
  agent?: string;
  agent_run_id?: string;
  budget?: string;
  service?: string;
  model?: string;
  route?: string;
  attempts?: number;
  total_ms?: number;
  usage?: Usage;
  cost?: Cost;
  /** The word of what went wrong. */
  error?: string;
}

export function ofReceipt(receipt: Receipt): Row {
  const { run_id, ts, status, agent, agent_run_id, budget, route, usage, timings_ms, cost_estimate, error } = receipt;
  const by = asked(receipt);
  return {
    run_id,
    at: Date.parse(ts),
    status,
    agent,
    agent_run_id,
    budget,
    service: by?.name,
    model: by?.model,
    route,
    attempts: receipt.attempts?.length ?? 0,
    total_ms: timings_ms.total,
    usage,
    cost: cost_estimate,
    error: error?.code,
  };
}

export function ofEvent(event: ReceiptEvent): Row {
  const total_ms = event.timings_ms?.total;
  return {
    run_id: event.call_id,
    // The event has the time of the call's end, to the millisecond: the list is by when it came in.
    at: Date.parse(event.ts) - Math.floor(total_ms ?? 0),
    status: event.status,
    agent: event.agent,
    agent_run_id: event.run_id,
    budget: event.budget,
    service: event.service,
    model: event.model,
    route: event.route,
    attempts: event.attempts,
    total_ms,
    usage: event.usage,
    cost: event.cost,
    error: event.error,
  };
}

/** Which calls are wanted, in the gateway's own words. */
export interface Filter {
  agent?: string;
  agent_run_id?: string;
  service?: string;
  model?: string;
  status?: string;
  budget?: string;
  since?: string;
}

/** Whether a call is wanted: as the gateway itself decides it. */
export function admits(filter: Filter, row: Row): boolean {
  const is = (wanted: string | undefined, found: string | undefined): boolean =>
    wanted === undefined || wanted === found;
  return (
    is(filter.agent, row.agent) &&
    is(filter.agent_run_id, row.agent_run_id) &&
    is(filter.service, row.service) &&
    is(filter.model, row.model) &&
    is(filter.status, row.status) &&
    (filter.since === undefined || row.at >= Date.parse(filter.since)) &&
    (filter.budget === undefined ||
      row.budget === filter.budget ||
      row.budget?.startsWith(`${filter.budget}/`) === true)
  );
}

/** The latest first; ids of calls grow with the time. */
export function compare(a: Row, b: Row): number {
  return b.at - a.at || (a.run_id < b.run_id ? 1 : a.run_id > b.run_id ? -1 : 0);
}
