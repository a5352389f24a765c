// How something is, in one word: the worst that holds of it.

import type { PartHealth, Service } from "../api/types";
import type { Agent } from "./swarm";

export type State =
  | "down"
  | "error"
  | "stuck"
  | "degraded"
  | "paused"
  | "waiting"
  | "running"
  | "queued"
  | "done"
  | "idle"
  | "ok"
  | "unknown";

/** A call that takes longer than this holds its agent up. */
export const LONG_CALL_MS = 20_000;
/** An agent that says that it runs, and of which nothing moves for so long, is stuck. */
export const NO_PROGRESS_MS = 120_000;

/** What a door says that lacks its credential, or the server or the weights of its model. */
export const NOT_CONFIGURED = /no_(?:credential|backend|weights):?\s*/;

/** Whether something only waits to be set up, which harms nobody. */
export function unconfigured({ status, status_reasons }: Pick<Service, "status" | "status_reasons">): boolean {
  return status !== "ok" && status_reasons.length > 0 && status_reasons.every((reason) => NOT_CONFIGURED.test(reason));
}

/** What the registry says of it; nothing more is known of models and tools. */
export function ofService(service: Service): State {
  if (service.paused) return "paused";
  return unconfigured(service) ? "idle" : service.status;
}

/** What the registry says and what it says of itself: pauses and deaths go before what it said when it still spoke. */
export function ofAgent(agent: Agent, now: number): State {
  const { service, beat } = agent;
  if (service?.paused) return "paused";
  if (service?.status === "down") return "down";
  if (stuck(agent, now)) return "stuck";
  if (beat?.status === "error") return "error";
  if (service?.status === "degraded") return "degraded";
  return beat?.status ?? service?.status ?? "unknown";
}

export interface Stuck {
  /** Since when, in milliseconds since 1970. */
  since: number;
  /** The call that holds it up, if it is one. */
  run_id?: string;
  service?: string;
  model?: string;
}

/** Whether an agent that works gets nowhere, and what holds it up. */
export function stuck({ beat, calls, service, moved_at }: Agent, now: number): Stuck | undefined {
  if (service && (service.paused || service.status === "down")) return undefined;
  const call = calls[0];
  if (call) {
    const since = Date.parse(call.ts);
    if (now - since > LONG_CALL_MS) {
      return { since, run_id: call.run_id, service: call.service, model: call.model };
    }
    return undefined;
  }
  if (beat?.status !== "running" || moved_at === undefined) return undefined;
  return now - moved_at > NO_PROGRESS_MS ? { since: moved_at } : undefined;
}

export function ofPart(part: PartHealth): State {
  switch (part.status) {
    case "unreachable":
      return "down";
    case "recovering":
      return "degraded";
    default:
      return part.status;
  }
}

/** How full a context is, against the lines that the design draws. */
export type Fill = "low" | "warning" | "breach";

export const CTX_WARNING = 0.5;
export const CTX_BREACH = 0.75;

export function fill(ratio: number): Fill {
  return ratio >= CTX_BREACH ? "breach" : ratio >= CTX_WARNING ? "warning" : "low";
}

export function ctxRatio(agent: Agent): number | undefined {
  const usage = agent.beat?.token_usage;
  return usage && usage.ctx_limit > 0 ? usage.ctx_used / usage.ctx_limit : undefined;
}
