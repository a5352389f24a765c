// A receipt in sentences.

import type { CallStatus, Receipt } from "../../api/types";
import { duration } from "../../lib/format";
import type { Shown } from "../../parts/state";

/** What a status means, for whoever asks afterwards. */
export const MEANING: Record<CallStatus, string> = {
  ok: "It was answered whole.",
  error: "It failed: the caller got an error, and no answer.",
  cut: "The answer broke off after it had begun. What came is not all, and the caller was told so.",
  cancelled:
    "It was given up before it was over: the caller left, or an operator cancelled it. What it had cost is spent.",
  refused: "It was not made: nobody was asked for an answer.",
  lost: "The gateway died under it. Whether it was answered, and what it cost, nobody knows.",
};

/** What was asked for, in words. */
export function wanted({ target_request: target }: Receipt): string {
  if (!target) return "something that could not be read";
  const what = target.type === "tool" || target.type === "agent" ? target.type : "model";
  const parts = [target.role ? `of role ${target.role}` : "", target.name ? `named ${target.name}` : ""];
  parts.push(target.require_caps?.length ? `that can ${target.require_caps.join(", ")}` : "");
  const labels = Object.entries(target.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  parts.push(labels.length > 0 ? `labelled ${labels.join(", ")}` : "");
  const article = what === "agent" ? "an" : "a";
  const rest = parts.filter((part) => part !== "").join(" ");
  if (target.model) return `the model “${target.model}”${rest === "" ? "" : `, ${rest}`}`;
  return `${article} ${what}${rest === "" ? "" : ` ${rest}`}`;
}

/** What came of it, in a sentence. */
export function ending(receipt: Receipt): string {
  const { resolved, attempts = [], timings_ms, status } = receipt;
  const took = duration(timings_ms.total);
  const by = resolved ? `${resolved.name}${resolved.model === resolved.name ? "" : ` (${resolved.model})`}` : undefined;
  const tries = attempts.length > 1 ? ` after ${attempts.length} attempts` : "";
  switch (status) {
    case "ok":
      return by ? `${by} answered in ${took}${tries}.` : `It was answered in ${took}${tries}.`;
    case "refused":
      return `It was refused after ${took}.`;
    case "lost":
      return "How it ended is not known.";
    case "cut":
      return `The answer of ${by ?? "whoever was asked"} broke off after ${took}${tries}.`;
    case "cancelled":
      return `It was cancelled after ${took}${by ? `, while ${by} was asked` : ""}${tries}.`;
    default:
      return `It failed after ${took}${by ? `, ${by} last` : ""}${tries}.`;
  }
}

/** The mark of how an attempt went. */
export function outcomeState(outcome: string): Shown {
  if (outcome === "ok") return "ok";
  if (outcome === "cut" || outcome === "no_end_mark" || outcome === "stalled") return "stuck";
  if (outcome === "cancelled") return "paused";
  if (outcome === "breaker" || outcome === "rate_limit" || outcome === "filtered") return "degraded";
  return "error";
}
