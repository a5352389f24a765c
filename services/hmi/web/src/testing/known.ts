// Rows and events for tests; what a test is about, it names.

import type { Alert, HeartbeatEvent, InFlight, ReceiptEvent, Service, StatsRow, StatusUpdateEvent } from "../api/types";

export const AT = "2025-11-06T10:30:00.000Z";
export const NOW = Date.parse(AT);

/** So many milliseconds after (or before) `AT`, as the wire has it. */
export const ts = (after_ms: number): string => new Date(NOW + after_ms).toISOString();

export function service(more: Partial<Service> & { name: string }): Service {
  return {
    service_id: more.name,
    type: "agent",
    role: more.type === undefined || more.type === "agent" ? "execution" : "production",
    url: null,
    caps: [],
    labels: {},
    ctx_limit: null,
    cost_hint_usd_per_1k: null,
    status: "ok",
    status_reasons: [],
    paused: false,
    verified: true,
    p95_ms: null,
    queue_depth: null,
    load: null,
    ...more,
  };
}

export function beat(agent: string, seq: number, more: Partial<HeartbeatEvent> = {}): HeartbeatEvent {
  return { event_type: "heartbeat", seq, ts: ts(seq), agent, status: "running", ...more };
}

export function update(agent: string, seq: number, more: Partial<StatusUpdateEvent> = {}): StatusUpdateEvent {
  return { event_type: "status_update", seq, ts: ts(seq), agent, event: "progress", ...more };
}

export function receipt(call_id: string, seq: number, more: Partial<ReceiptEvent> = {}): ReceiptEvent {
  return { event_type: "receipt", seq, ts: ts(seq), call_id, status: "ok", ...more };
}

export function call(run_id: string, agent: string | undefined, more: Partial<InFlight> = {}): InFlight {
  return { run_id, agent, ts: AT, age_ms: 0, route: "/invoke", ...more };
}

export function spend(key: string | null, calls: number, usd = 0): StatsRow {
  return {
    key,
    calls,
    by_status: { ok: calls, error: 0, cut: 0, cancelled: 0, refused: 0, lost: 0 },
    tokens: { input: 0, output: 0, cache_read: 0, cache_write: 0, reasoning: 0 },
    usd: { confirmed: usd, estimated: 0 },
    unknown_cost_calls: 0,
  };
}

export function alert(alert_id: string, more: Partial<Alert> = {}): Alert {
  return {
    alert_id,
    alert_type: "heartbeat_miss",
    severity: "warning",
    service_id: null,
    service_name: "ollama",
    missed_beats: 1,
    last_seen: null,
    action: "marked_degraded",
    ts: AT,
    acked: false,
    ...more,
  };
}
