// Mutes: which alerts they silence, and for how long.

import type { Alert, Severity } from "../../api/types";
import { fits } from "./list";

/** As the monitor has it: all that is given must match. */
export interface Match {
  service?: string;
  type?: string;
  severity?: Severity;
}

export interface Mute {
  match: Match;
  until: string;
}

/** The longest that the monitor allows: a week. */
export const LONGEST_S = 7 * 24 * 3600;

export const LENGTHS: [number, string][] = [
  [900, "15 min"],
  [3_600, "1 h"],
  [28_800, "8 h"],
];

/** Seconds, of a length such as `90m`, `2h`, `3d`, `1h 30m`; nothing of what is none, or is longer than a mute may last. */
export function seconds(text: string): number | undefined {
  const parts = text
    .trim()
    .toLowerCase()
    .match(/^(?:(\d{1,3})\s*d)?\s*(?:(\d{1,4})\s*h)?\s*(?:(\d{1,5})\s*m(?:in)?)?$/);
  if (!parts) return undefined;
  const [d, h, m] = [parts[1], parts[2], parts[3]].map((part) => Number(part ?? 0));
  const sum = (d ?? 0) * 86_400 + (h ?? 0) * 3_600 + (m ?? 0) * 60;
  return sum >= 60 && sum <= LONGEST_S ? sum : undefined;
}

/** What is given of it. */
export function given({ service, type, severity }: Match): Match {
  return { ...(service ? { service } : {}), ...(type ? { type } : {}), ...(severity ? { severity } : {}) };
}

export const isEmpty = (match: Match): boolean => Object.keys(given(match)).length === 0;

export const silences = (match: Match, alert: Alert): boolean => !isEmpty(match) && fits(alert, match);

/** Until when an alert is muted, as the monitor noted when it came; nothing once that is over. */
export function mutedUntil({ details }: Alert, now: number): string | undefined {
  const until = details?.muted_until;
  return typeof until === "string" && Date.parse(until) > now ? until : undefined;
}
