// Where in the time of a call its parts lie. Attempts follow each other; a receipt says how long each took, and not how long
// the gateway paused between them: what is left over stands at the end, and is called that.

import type { Attempt, Receipt } from "../../api/types";

export type Kind = "discovery" | "queue" | "connect" | "waiting" | "answering" | "attempt" | "rest";

export interface Part {
  kind: Kind;
  /** In milliseconds from the call's beginning. */
  from: number;
  to: number;
}

export interface Lane {
  attempt?: Attempt;
  parts: Part[];
}

export interface TimeBar {
  total: number;
  /** What the gateway did itself, and then a lane for each attempt. */
  gateway: Lane;
  attempts: Lane[];
}

/** What is left over is told from there on: less is rounding. */
const REST_MS = 0.05;

export function timeBar({ timings_ms, attempts = [] }: Pick<Receipt, "timings_ms" | "attempts">): TimeBar {
  const { discovery = 0, queue = 0 } = timings_ms;
  const spent = attempts.reduce((sum, { timings_ms }) => sum + timings_ms.total, discovery + queue);
  const total = Math.max(timings_ms.total, spent);
  let at = 0;
  const next = (kind: Kind, lasts: number): Part[] => {
    const from = at;
    at += lasts;
    return lasts > 0 ? [{ kind, from, to: at }] : [];
  };
  const gateway: Lane = { parts: [...next("discovery", discovery), ...next("queue", queue)] };
  const lanes = attempts.map((attempt): Lane => {
    const { connect, first_byte, total: lasts } = attempt.timings_ms;
    if (first_byte === undefined) {
      const begun = Math.min(connect ?? 0, lasts);
      return { attempt, parts: [...next("connect", begun), ...next("attempt", lasts - begun)] };
    }
    const connected = Math.min(connect ?? 0, first_byte, lasts);
    const first = Math.min(first_byte, lasts);
    const parts = [
      ...next("connect", connected),
      ...next("waiting", first - connected),
      ...next("answering", lasts - first),
    ];
    return { attempt, parts };
  });
  if (total - at > REST_MS) gateway.parts.push(...next("rest", total - at));
  return { total, gateway, attempts: lanes };
}

/** Where a part lies, in percent of all. */
export function place({ from, to }: Part, total: number): { left: string; width: string } {
  const percent = (ms: number): string => `${total > 0 ? (ms / total) * 100 : 0}%`;
  return { left: percent(from), width: percent(to - from) };
}
