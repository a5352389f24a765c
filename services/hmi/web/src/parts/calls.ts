import type { CallStatus } from "../api/types";
import type { Shown } from "./state";

/** The mark of how a call ended. */
export function callState(status: CallStatus): Shown {
  const states: Record<CallStatus, Shown> = {
    ok: "ok",
    error: "error",
    cut: "stuck",
    cancelled: "paused",
    refused: "degraded",
    lost: "down",
  };
  return states[status] ?? "unknown";
}
