// What happened to a service, in words.

import type { Transition } from "../../api/types";
import type { Shown } from "../../parts/state";

export interface Told {
  state: Shown;
  what: string;
}

/** A transition as a person reads it: what it led to gives its mark. */
export function told({ kind, from_status, to_status, from_role, to_role, missed_beats }: Transition): Told {
  const change = from_status && to_status && from_status !== to_status ? `: ${from_status} → ${to_status}` : "";
  const state = to_status ?? "idle";
  switch (kind) {
    case "registered":
      return { state, what: `registered${to_role ? ` as ${to_role}` : ""}` };
    case "reregistered":
      return { state, what: "registered again, as another process or with another description" };
    case "beat_missed":
      return { state: state === "ok" ? "degraded" : state, what: `missed ${beats(missed_beats)}${change}` };
    case "recovered":
      return { state, what: `beats again after ${beats(missed_beats)} missed${change}` };
    case "reported":
      return { state, what: `says that it is ${to_status ?? "otherwise"}${change}` };
    case "reachable":
      return { state, what: `answers probes again${change}` };
    case "unreachable":
      return { state: state === "ok" ? "degraded" : state, what: `does not answer probes${change}` };
    case "promoted":
      return { state: "info", what: `${from_role ?? "?"} → ${to_role ?? "?"}` };
    case "paused":
      return { state: "paused", what: "paused" };
    case "resumed":
      return { state, what: "resumed" };
    case "deregistered":
      return { state: "idle", what: "taken off the list" };
    case "evicted":
      return { state: "down", what: "taken off the list: it stayed silent" };
    default:
      return { state: "info", what: kind.replaceAll("_", " ") };
  }
}

/** The transitions of now; one that was there before is the same object, so that its row stays, and what is opened in it. */
export function kept(before: Transition[], now: Transition[]): Transition[] {
  const known = new Map(before.map((transition) => [transition.seq, transition]));
  return now.map((transition) => {
    const same = known.get(transition.seq);
    return same?.ts === transition.ts ? same : transition;
  });
}

function beats(n: number): string {
  return n === 1 ? "1 beat" : `${n} beats`;
}
