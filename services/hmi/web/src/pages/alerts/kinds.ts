// What each type of alert means, and what to do about it.

import { line } from "../../lib/text";

export interface Kind {
  title: string;
  means: string;
  todo: string;
}

export const KINDS: Record<string, Kind> = {
  heartbeat_miss: {
    title: "Beat missed",
    means:
      "A service said nothing for longer than it may: degraded after one beat, down after two, off the list after three.",
    todo: "See whether its process lives, and restart it if not; it registers again by itself.",
  },
  recovered: {
    title: "Beats again",
    means: "A service that had missed beats is back.",
    todo: "Nothing. If it happens again and again, look at what holds it up.",
  },
  flapping: {
    title: "Flapping",
    means: "A service changes between well and unwell too often to be relied on.",
    todo: "Pause it, find out in its history what comes and goes, and resume it when it is steady.",
  },
  brake_on: {
    title: "Evictions held back",
    means: "So many services fell silent at once that the registry takes them off the list only slowly.",
    todo: "Look for one cause (network, a full disk, a machine that stood still). If all are really gone, release the brake at the registry.",
  },
  brake_off: {
    title: "Evictions as usual",
    means: "The registry takes silent services off the list as usual again.",
    todo: "Nothing.",
  },
  registry_silent: {
    title: "Registry silent",
    means: "The registry has said nothing for a while: who is alive isn't known, and nothing new can be found.",
    todo: "Look at the registry's health and log, and restart it; nothing that it knew is lost.",
  },
  registry_back: {
    title: "Registry back",
    means: "The registry speaks again.",
    todo: "Nothing.",
  },
  clock_jump: {
    title: "Clock jumped",
    means: "The time of day went ahead or back by itself; a machine that slept is one such case.",
    todo: "See that the machine's clock is synchronised; times of receipts and events around it may be out of order.",
  },
  unreachable: {
    title: "Not reachable",
    means: "A service that answered probes answers them no more, though it may still beat.",
    todo: "Ask its health address yourself; see whether it hangs, or whether something stands in between.",
  },
  reachable: {
    title: "Reachable again",
    means: "A service answers probes again.",
    todo: "Nothing.",
  },
  context_breach: {
    title: "Context too full",
    means: "An agent's context passed its hard limit: what it still does is likely to be cut or wrong.",
    todo: "Pause the agent, and let it summarise or begin anew from its last checkpoint.",
  },
  checkpoint_failed: {
    title: "Checkpoint failed",
    means: "An agent's state could not be saved: if it dies now, its work since the last checkpoint is lost.",
    todo: "See whether the disk is full or the directory can't be written, then let it try again.",
  },
  budget_warning: {
    title: "Budget nearly spent",
    means: "Most of a budget is gone.",
    todo: "See on the costs page who spends it; raise the budget, or pause whoever needs it least.",
  },
  budget_exhausted: {
    title: "Budget spent",
    means: "A budget is spent: calls that would be charged to it are refused.",
    todo: "Raise the budget, or wait until its next period begins.",
  },
  credential_out: {
    title: "Credential out",
    means: "A provider refuses the credential that PAS has for it (wrong, expired or revoked), or nothing is left to spend by it.",
    todo: "Put a new one into .env, which its adapter takes at once, or into the environment and restart the adapter; or add credit at the provider.",
  },
  breaker_open: {
    title: "Upstream left alone",
    means: "An upstream failed so often that it gets no calls for a while; calls go elsewhere where they can.",
    todo: "See why it fails in its receipts. It is tried again by itself.",
  },
  hop_limit: {
    title: "Call in a circle",
    means: "A call came back through the gateway too often: something calls itself.",
    todo: "Find in the call's receipt who calls whom, and break the circle.",
  },
  snapshot_stale: {
    title: "Old view of the swarm",
    means: "The gateway routes by what it last knew, because the registry or the router isn't heard.",
    todo: "Look at the health of the registry and the provider router.",
  },
  config_rejected: {
    title: "Configuration refused",
    means: "A file of settings was changed and isn't valid; the one before stays in force.",
    todo: "Put right what the message names; the file is read again by itself.",
  },
  events_dropped: {
    title: "Events lost",
    means:
      "A publisher's buffer was full, and events that it had were lost: live views and totals of events have gaps.",
    todo: "See whether the event stream was away or slow. Receipts and alerts themselves are kept by their owners.",
  },
};

/** What is known of a type; a newer service may send one that isn't in the table. */
export function kindOf(type: string): Kind {
  const known = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
  return (
    known ?? { title: line(type.replaceAll("_", " "), 80), means: "This page doesn't know this type.", todo: "Read its message." }
  );
}
