// Three truths about one: what it says, what the registry says, what the probe says; and where they disagree. Pure.

import type { AgentStatus, InFlight, ServiceView, Status } from "../../api/types";
import type { Agent } from "../../live/swarm";

export interface Truths {
  /** Its last word on how it is, and when it said so. */
  says?: { status: AgentStatus; at: number };
  registry?: { status: Status; missed_beats: number };
  probe?: ServiceView["probe"];
  calls: InFlight[];
  /** Whether the registry lists it. */
  listed: boolean;
}

export function truthsOf({ beat, service, calls }: Agent, view: ServiceView | undefined): Truths {
  return {
    says: beat && { status: beat.status, at: Date.parse(beat.ts) },
    // The row of the list is what events change first; the missed beats are known from the look at the one alone.
    registry: service && { status: service.status, missed_beats: view?.missed_beats ?? 0 },
    probe: view?.probe,
    calls,
    listed: service !== undefined,
  };
}

/** What an agent says of itself that means that it lives and works. */
const WELL = new Set<AgentStatus>(["queued", "running", "waiting", "idle", "done", "ok"]);
const RESTS = new Set<AgentStatus>(["idle", "done"]);

/** Where they disagree, each in a sentence; nothing when all of them say the same. */
export function disagreements({ says, registry, probe, calls, listed }: Truths): string[] {
  const found: string[] = [];
  if (!listed && says) found.push("It publishes events, and the registry does not list it.");
  if (says && registry && registry.status !== "ok" && WELL.has(says.status)) {
    const missed = registry.missed_beats;
    const why = missed > 0 ? `: ${missed} ${missed === 1 ? "beat is" : "beats are"} missing` : "";
    found.push(`Its last word is “${says.status}”, the registry has it as ${registry.status}${why}.`);
  }
  if (registry?.status === "ok" && probe?.reachability === "unreachable") {
    found.push("The registry has it as ok, the probe can't reach it.");
  }
  if (registry?.status === "down" && probe?.reachability === "reachable") {
    found.push("The registry has it as down, and it answers the probe.");
  }
  const under = says && RESTS.has(says.status) ? calls.filter((call) => Date.parse(call.ts) < says.at).length : 0;
  if (says && under > 0) {
    found.push(`It says “${says.status}”, and ${under} of its calls ${under === 1 ? "is" : "are"} under way.`);
  }
  return found;
}
