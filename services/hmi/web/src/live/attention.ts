// What needs a human, ranked: each with its reason, since when, and what it has cost.

import type { Alert, PartHealth, Service, StatsRow } from "../api/types";
import { clock, count, duration, percent } from "../lib/format";
import { groupBy } from "../lib/group";
import { CTX_BREACH, ctxRatio, stuck, unconfigured } from "./state";
import type { Agent } from "./swarm";

export type Level = "critical" | "warning" | "info";

export interface Item {
  id: string;
  level: Level;
  kind: "agent" | "service" | "part" | "alert";
  /** Whom it is about, and what to follow to see more. */
  name: string;
  href: string;
  /** What is wrong, in a few words: "is stuck". */
  what: string;
  /** Why, as far as it is known. */
  why: string;
  /** Since when, in milliseconds since 1970. */
  since?: number;
  /** What the agent's calls have cost, by the gateway. */
  spend?: StatsRow;
  /** Open alerts that say the same. */
  alerts: string[];
  /** The call that it is about. */
  run_id?: string;
}

export interface Known {
  now: number;
  agents: Agent[];
  services: Service[];
  alerts: Alert[];
  parts: PartHealth[];
}

const RANK: Record<Level, number> = { critical: 0, warning: 1, info: 2 };
/** Alerts that say that something is well again need nobody. */
const GOOD_NEWS = new Set(["recovered", "reachable", "registry_back", "brake_off"]);
/** A cause that lies so far back isn't news any more, unless what it is about still is wrong. */
const ALERT_MS = 3_600_000;
/** What hasn't happened again for so long may wait. */
const CALM_MS = 600_000;
/** These tell of how a service is, which the registry knows better by now. */
const OF_STATE = new Set(["heartbeat_miss", "unreachable", "flapping"]);

export function attention(known: Known): Item[] {
  const open = known.alerts.filter((alert) => !alert.acked && !GOOD_NEWS.has(alert.alert_type));
  const items = [
    ...known.parts.filter((part) => part.status !== "ok").map(part),
    ...known.agents.flatMap((agent) => ofAgent(agent, known.now)),
    ...known.services.filter((service) => service.type === "model" || service.type === "tool").flatMap(ofService),
  ];
  const about = groupBy(open, (alert) => alert.service_name);
  const told = new Set<string>();
  for (const item of items) {
    item.alerts = (about.get(item.name) ?? []).map((alert) => alert.alert_id);
    for (const id of item.alerts) told.add(id);
  }
  const recent = open.filter((alert) => !told.has(alert.alert_id) && known.now - Date.parse(alert.ts) < ALERT_MS);
  items.push(...gathered(recent, known));
  return items.sort((a, b) => RANK[a.level] - RANK[b.level] || (a.since ?? 0) - (b.since ?? 0) || (a.id < b.id ? -1 : 1));
}

function part({ name, status, reason, url }: PartHealth): Item {
  const what = status === "unreachable" ? "can't be reached" : `is ${status}`;
  const level = status === "unreachable" || status === "down" ? "critical" : "warning";
  return { id: `part:${name}`, level, kind: "part", name, href: "/services", what, why: reason ?? url, alerts: [] };
}

function ofAgent(agent: Agent, now: number): Item[] {
  const { key, name, service, beat, said, spend } = agent;
  const base = { kind: "agent" as const, name, href: `/tree/${encodeURIComponent(key)}`, spend, alerts: [] };
  const item = (level: Level, what: string, why: string, since?: number, run_id?: string): Item[] => [
    { ...base, id: `agent:${key}`, alerts: [], level, what, why, since, run_id },
  ];
  const last = beat ? Date.parse(beat.ts) : undefined;
  if (service?.paused) return item("info", "is paused", "its calls are refused until it is resumed");
  if (service?.status === "down") return item("critical", "is down", reasons(service), last);
  const held = stuck(agent, now);
  if (held) {
    const why = held.run_id
      ? `waits ${duration(now - held.since)} for an answer of ${held.service ?? held.model ?? "nobody yet"}`
      : `says that it runs, and nothing has moved for ${duration(now - held.since)}`;
    return item("critical", "is stuck", why, held.since, held.run_id);
  }
  if (beat?.status === "error") {
    return item("critical", "has failed", said?.message ?? `it says so since ${clock(beat.ts, now)}`, agent.moved_at ?? last);
  }
  if (service?.status === "degraded") return item("warning", "is degraded", reasons(service), last);
  const ratio = ctxRatio(agent);
  if (ratio !== undefined && ratio >= CTX_BREACH) {
    const { ctx_used, ctx_limit } = beat?.token_usage ?? { ctx_used: 0, ctx_limit: 0 };
    return item("warning", "is running out of context", `${count(ctx_used)} of ${count(ctx_limit)} tokens (${percent(ratio)})`, last);
  }
  return [];
}

function ofService(service: Service): Item[] {
  const { service_id, name, status, paused } = service;
  if (status === "ok" && !paused) return [];
  if (unconfigured(service)) return [];
  const level: Level = paused ? "info" : "warning";
  const what = paused ? "is paused" : `is ${status}`;
  const why = paused ? "nobody is sent to it until it is resumed" : reasons(service);
  return [
    { id: `service:${service_id}`, level, kind: "service", name, href: `/services/${service_id}`, what, why, alerts: [] },
  ];
}

/** Alerts of one kind about one service are one thing. */
function gathered(alerts: Alert[], { now, services, agents }: Known): Item[] {
  const well = new Set(services.filter((service) => service.status === "ok").map((service) => service.name));
  for (const { service } of agents) if (service?.status === "ok") well.add(service.name);
  const groups = groupBy(alerts, (alert) => `${alert.alert_type} ${alert.service_name}`);
  return [...groups].map(([key, group]) => {
    const newest = group.reduce((a, b) => (a.ts > b.ts ? a : b));
    const times = group.length > 1 ? `, ${group.length} times` : "";
    const over = OF_STATE.has(newest.alert_type) && well.has(newest.service_name);
    const calm = now - Date.parse(newest.ts) > CALM_MS;
    return {
      id: `alert:${key}`,
      level: over || calm ? "info" : newest.severity,
      kind: "alert",
      name: newest.service_name,
      href: `/alerts/${newest.alert_id}`,
      what: newest.alert_type.replaceAll("_", " ") + times + (over ? ", and is well again" : ""),
      why: newest.message ?? newest.action.replaceAll("_", " "),
      since: Date.parse(newest.ts),
      alerts: group.map((alert) => alert.alert_id),
    };
  });
}

function reasons(service: Service): string {
  return service.status_reasons.length > 0 ? service.status_reasons.join("; ") : "the registry gives no reason";
}
