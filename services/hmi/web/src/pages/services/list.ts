// What the list of services shows of one, and which of them a filter leaves.

import type { Service, ServiceType, ServiceView } from "../../api/types";
import { duration } from "../../lib/format";
import { locality } from "../../lib/locality";
import { NOT_CONFIGURED, unconfigured } from "../../live/state";
import type { Shown } from "../../parts/state";

export interface Condition {
  state: Shown;
  word: string;
  /** Why, as far as it is known. */
  why: string;
}

/** How a service is: its pause before its status, its status with its reasons. */
export function condition(service: Pick<Service, "status" | "status_reasons" | "paused">): Condition {
  const { status, status_reasons, paused } = service;
  if (unconfigured(service)) {
    const what = (status_reasons[0] ?? "").split(NOT_CONFIGURED).at(-1) ?? "";
    return { state: "idle", word: paused ? "not configured, paused" : "not configured", why: what };
  }
  const why = status_reasons.join("; ");
  if (paused) return { state: "paused", word: status === "ok" ? "paused" : `paused, ${status}`, why };
  return { state: status, word: status, why };
}

export interface Model {
  name: string;
  ctx_limit?: number;
}

/** The models that a service answers to, with the contexts that it names for them. */
export function models({
  type,
  name,
  labels,
  ctx_limit,
}: Pick<Service, "type" | "name" | "labels" | "ctx_limit">): Model[] {
  if (type !== "model") return [];
  const contexts = new Map(
    words(labels.ctx_limits).map((pair) => [
      pair.slice(0, pair.lastIndexOf("=")),
      Number(pair.slice(pair.lastIndexOf("=") + 1)),
    ]),
  );
  const names = words(labels.models);
  return (names.length > 0 ? names : [name]).map((model) => ({
    name: model,
    ctx_limit: contexts.get(model) ?? ctx_limit ?? undefined,
  }));
}

function words(label: string | null | undefined): string[] {
  return (label ?? "")
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

export interface Beat {
  state: Shown;
  /** How long ago the last one came, in milliseconds. */
  age_ms: number;
  /** It in words. */
  what: string;
}

/** The last beat, `elapsed_ms` after the registry told of it. */
export function lastBeat(view: ServiceView, elapsed_ms: number): Beat {
  const age_ms = view.last_heartbeat_age_ms + Math.max(0, elapsed_ms);
  const told = `one is due every ${duration(view.heartbeat_interval_s * 1000).replace(".0 s", " s")}`;
  if (!view.verified) return { state: "unknown", age_ms, what: `not heard since the registry started; ${told}` };
  if (view.missed_beats > 0) return { state: "down", age_ms, what: `${view.missed_beats} missed; ${told}` };
  const late = age_ms > view.ttl_s * 1000;
  return { state: late ? "down" : "ok", age_ms, what: late ? `overdue; ${told}` : `on time; ${told}` };
}

export interface Filter {
  type?: string;
  text?: string;
  status?: string;
  role?: string;
  cap?: string;
  locality?: string;
}

export const STATUSES = ["ok", "degraded", "down", "paused", "not configured"];

/** Whether a filter leaves a service; each part of the filter that is set must fit. */
export function fits(service: Service, { type, text, status, role, cap, locality: where }: Filter): boolean {
  return (
    (!type || service.type === type) &&
    (!role || service.role === role) &&
    (!cap || service.caps.includes(cap)) &&
    (!where || locality(service) === where) &&
    (!status || hasStatus(service, status)) &&
    (!text || says(service, text.trim().toLowerCase()))
  );
}

function hasStatus(service: Service, status: string): boolean {
  if (status === "paused") return service.paused;
  if (status === "not configured") return unconfigured(service);
  return service.status === status && !unconfigured(service);
}

function says({ name, service_id, url, caps, labels }: Service, wanted: string): boolean {
  const texts = [name, service_id, url, labels.models, labels.provider, ...caps];
  return texts.some((text) => text?.toLowerCase().includes(wanted));
}

const ORDER: Record<ServiceType, number> = { model: 0, tool: 1, agent: 2, service: 3 };

/** Models, tools, agents, PAS's own; those of one type stay in their order. */
export function inOrder(services: Service[]): Service[] {
  return services.toSorted((a, b) => ORDER[a.type] - ORDER[b.type]);
}

/** What there is to choose from, the most frequent first. */
export function choices(services: Service[], of: (service: Service) => string[], limit = 100): string[] {
  const counts = new Map<string, number>();
  for (const service of services) for (const it of of(service)) counts.set(it, (counts.get(it) ?? 0) + 1);
  return [...counts]
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .slice(0, limit)
    .map(([it]) => it);
}

/** The shortest registration of each type that makes sense. */
export function example(type: ServiceType): Record<string, unknown> {
  const served = { url: "http://127.0.0.1:9000", caps: type === "model" ? ["infer", "chat"] : ["search"] };
  switch (type) {
    case "agent":
      return { name: "my-agent", type, role: "execution", caps: ["execute"] };
    case "service":
      return { name: "my-service", type, role: "production", url: served.url };
    default:
      return { name: `my-${type}`, type, role: "experimental", ...served };
  }
}
