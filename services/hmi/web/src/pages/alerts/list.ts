// Which alerts are shown, in which order, and how pages of the monitor and what happens since become one list.

import type { Alert, AlertPage, Severity } from "../../api/types";
import { groupBy } from "../../lib/group";

export const SEVERITIES: Severity[] = ["critical", "warning", "info"];

export interface Filter {
  severity?: string;
  type?: string;
  /** An id or a whole name, as the monitor has it. */
  service?: string;
  acked?: boolean;
  /** Not older than this, RFC 3339. */
  since?: string;
}

/** By severity, and the newest first; or the newest first alone. */
export type Order = "severity" | "newest";

/** Whether the monitor would list it. */
export function fits(alert: Alert, { severity, type, service, acked, since }: Filter): boolean {
  return (
    (!severity || alert.severity === severity) &&
    (!type || alert.alert_type === type) &&
    (!service || alert.service_name === service || alert.service_id === service) &&
    (acked === undefined || alert.acked === acked) &&
    (!since || Date.parse(alert.ts) >= Date.parse(since))
  );
}

/** What is asked of the monitor, one after the other: together they are in order. */
export function questions(filter: Filter, order: Order): Filter[] {
  if (order === "newest" || filter.severity) return [filter];
  return SEVERITIES.map((severity) => ({ ...filter, severity }));
}

/** A place in the list. */
interface Place {
  severity: Severity;
  ts: string;
  alert_id: string;
}

function compare(a: Place, b: Place, order: Order): number {
  const rank = order === "severity" ? SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) : 0;
  // Times on the wire are all of one form, which sorts as text.
  return rank || descending(a.ts, b.ts) || descending(a.alert_id, b.alert_id);
}

function descending(a: string, b: string): number {
  return a < b ? 1 : a > b ? -1 : 0;
}

/** What the monitor has told so far. */
export interface Loaded {
  alerts: Alert[];
  /** Which of the questions is next, and from where. */
  question: number;
  cursor: string | null;
  /** All has been told. */
  complete: boolean;
}

export const NOTHING: Loaded = { alerts: [], question: 0, cursor: null, complete: false };

/** With one more page, which answered the question that was next. */
export function withPage(loaded: Loaded, { alerts, next_cursor }: AlertPage, questions: number): Loaded {
  const question = next_cursor === null ? loaded.question + 1 : loaded.question;
  return { alerts: [...loaded.alerts, ...alerts], question, cursor: next_cursor, complete: question >= questions };
}

/** Where what was told ends: an alert behind it comes with its page, and not before. */
function within(alert: Alert, loaded: Loaded, filter: Filter, order: Order): boolean {
  if (loaded.complete) return true;
  const last = loaded.alerts.at(-1);
  if (loaded.question > 0 && loaded.cursor === null) {
    // One severity is told to its end, and nothing of the next yet.
    return order === "severity" && !filter.severity && SEVERITIES.indexOf(alert.severity) < loaded.question;
  }
  return last !== undefined && compare(alert, last, order) <= 0;
}

/** One list of what was told and what is known from elsewhere; who took note of one hasn't forgotten it. */
export function merged(loaded: Loaded, known: Alert[], filter: Filter, order: Order): Alert[] {
  const all = new Map(loaded.alerts.map((alert) => [alert.alert_id, alert]));
  for (const alert of known) {
    const before = all.get(alert.alert_id);
    if (before ? alert.acked && !before.acked : within(alert, loaded, filter, order)) all.set(alert.alert_id, alert);
  }
  return [...all.values()].filter((alert) => fits(alert, filter)).sort((a, b) => compare(a, b, order));
}

/** How many there are of each type, the most frequent first. */
export function byType(alerts: Alert[]): [string, Alert[]][] {
  return [...groupBy(alerts, (alert) => alert.alert_type)].sort(
    ([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1),
  );
}
