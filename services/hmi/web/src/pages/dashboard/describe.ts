// An event in a line for people.

import type { SwarmEvent } from "../../api/types";
import { duration, usd } from "../../lib/format";
import { link } from "../../lib/url";
import type { Shown } from "../../parts/state";

export interface Described {
  state: Shown;
  who: string;
  text: string;
  href: string;
}

// Agents name their events as they like, also "constructor".
const STATES = new Map<string, Shown>([
  ["completed", "done"],
  ["failed", "error"],
  ["started", "running"],
]);

export function describe(event: SwarmEvent): Described {
  switch (event.event_type) {
    case "status_update": {
      return of(STATES.get(event.event) ?? "info", event.agent, event.message ?? event.event, tree(event.service_id));
    }
    case "log":
      return of(event.level === "error" ? "error" : event.level === "warn" ? "warning" : "info", event.agent ?? "log", event.message, "/tree");
    case "alert":
      return of(event.severity, event.service_name, `${words(event.alert_type)}${event.message ? `: ${event.message}` : ""}`, link("/alerts", event.alert_id));
    case "receipt": {
      const state = event.status === "ok" ? "ok" : event.status === "cancelled" ? "paused" : "error";
      const cost = event.cost?.usd ? `, ${usd(event.cost.usd)}` : "";
      const text = `${event.model ?? event.service ?? event.route ?? "call"} ${event.status} in ${duration(event.timings_ms?.total)}${cost}`;
      return of(state, event.agent ?? "a call", text, link("/receipts", event.call_id));
    }
    case "registered":
    case "deregistered":
    case "promoted":
    case "paused":
    case "resumed": {
      const state = { registered: "ok", deregistered: "down", promoted: "info", paused: "paused", resumed: "running" }[event.event_type];
      const what = event.evicted ? "evicted" : event.known ? "registered again" : event.event_type;
      const role = event.to_role ? ` to ${event.to_role}` : "";
      const href = event.service_type === "agent" ? tree(event.service_id) : link("/services", event.service_id ?? "");
      return of(state as Shown, event.service_name, `${what}${role}${event.reason ? `: ${event.reason}` : ""}`, href);
    }
    default:
      return of("info", event.agent ?? event.event_type, words(event.event_type), "/tree");
  }
}

function of(state: Shown, who: string, text: string, href: string): Described {
  return { state, who, text, href };
}

function tree(id: string | undefined): string {
  return id === undefined ? "/tree" : link("/tree", id);
}

function words(text: string): string {
  return text.replaceAll("_", " ");
}
