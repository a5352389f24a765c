// What the services say, as far as the screens need it. The truth is contracts/: these follow it.

export type Status = "ok" | "degraded" | "down";
export type ServiceType = "model" | "tool" | "agent" | "service";
export type Role = "experimental" | "staging" | "canary" | "production" | "coordinator" | "system" | "execution";
export type Activity = "queued" | "running" | "waiting" | "idle" | "done" | "error";

/** A row of the registry's watch. */
export interface Service {
  service_id: string;
  name: string;
  type: ServiceType;
  role: Role;
  url: string | null;
  caps: string[];
  labels: Record<string, string | null>;
  ctx_limit: number | null;
  cost_hint_usd_per_1k: number | null;
  status: Status;
  status_reasons: string[];
  paused: boolean;
  verified: boolean;
  p95_ms: number | null;
  queue_depth: number | null;
  load: number | null;
}

/** A row of `/discover` or `/services/{id}`: everything that the registry knows of one. */
export interface ServiceView extends Service {
  heartbeat_interval_s: number;
  ttl_s: number;
  reported_status: Status;
  missed_beats: number;
  probe: { reachability: "unprobed" | "reachable" | "unreachable"; latency_ms?: number; reason?: string };
  registered_at: string;
  last_heartbeat_ts: string;
  last_heartbeat_age_ms: number;
  work?: {
    progress?: number;
    activity?: Activity;
    run_id?: string;
    current_call?: string;
    token_usage?: TokenUsage;
    resources?: ResourceUse;
  };
}

export interface Transition {
  seq: number;
  ts: string;
  kind: string;
  from_status?: Status;
  to_status?: Status;
  from_role?: Role;
  to_role?: Role;
  missed_beats: number;
  last_seen?: string;
  reason?: string;
}

export interface ServiceDetail {
  service: ServiceView;
  deregistered: { service_id: string; ts: string; reason?: string } | null;
  history: Transition[];
}

export interface TokenUsage {
  ctx_used: number;
  ctx_limit: number;
}

export interface ResourceUse {
  cpu: number;
  mem_mb: number;
}

/** `GET /api/services`. */
export interface ServiceChanges {
  cursor: string;
  reset: boolean;
  heard_age_ms: number | null;
  broken: string | null;
  services: Service[];
  gone: string[];
}

export interface Hello {
  version: string;
  demo: boolean;
  events_url: string;
  urls: Record<"registry" | "event_stream" | "heartbeat_monitor" | "provider_router" | "gateway", string>;
}

export interface PartHealth {
  name: string;
  url: string;
  status: "ok" | "degraded" | "recovering" | "down" | "unreachable";
  reason?: string;
  version?: string;
  uptime_s?: number;
  checks?: Record<string, { status: string; reason?: string }>;
  took_ms: number;
}

// Events, as the stream keeps them.

export interface EventBase {
  seq: number;
  ts: string;
  event_type: string;
  agent?: string;
  run_id?: string;
  service_id?: string;
}

export type AgentStatus = Activity | Status;

export interface HeartbeatEvent extends EventBase {
  event_type: "heartbeat";
  agent: string;
  status: AgentStatus;
  progress?: number;
  token_usage?: TokenUsage;
  resources?: ResourceUse;
}

export interface StatusUpdateEvent extends EventBase {
  event_type: "status_update";
  agent: string;
  event: string;
  task_id?: string;
  progress?: number;
  message?: string;
}

export interface LogEvent extends EventBase {
  event_type: "log";
  message: string;
  level?: "debug" | "info" | "warn" | "error";
}

export interface AlertEvent extends EventBase {
  event_type: "alert";
  alert_id: string;
  alert_type: string;
  severity: Severity;
  service_name: string;
  missed_beats: number;
  last_seen: string | null;
  action: string;
  acked: boolean;
  message?: string;
}

export interface ListEvent extends EventBase {
  event_type: "registered" | "deregistered" | "promoted" | "paused" | "resumed";
  service_name: string;
  service_type: ServiceType;
  role?: Role;
  from_role?: Role;
  to_role?: Role;
  known?: boolean;
  evicted?: boolean;
  reason?: string;
}

export type CallStatus = "ok" | "error" | "cut" | "cancelled" | "refused" | "lost";

export interface Usage {
  input: number;
  output: number;
  cache_read: number;
  cache_write: number;
  reasoning: number;
  source: "provider" | "estimated";
}

export interface Cost {
  usd: number | null;
  state: "confirmed" | "estimated" | "unknown";
}

export interface ReceiptEvent extends EventBase {
  event_type: "receipt";
  call_id: string;
  status: CallStatus;
  route?: string;
  service?: string;
  model?: string;
  policy?: string;
  budget?: string;
  attempts?: number;
  usage?: Usage;
  cost?: Cost;
  timings_ms?: { total: number; first_token?: number; upstream?: number; overhead?: number };
  error?: string;
}

export type SwarmEvent =
  | HeartbeatEvent
  | StatusUpdateEvent
  | LogEvent
  | AlertEvent
  | ListEvent
  | ReceiptEvent
  | (EventBase & { event_type: "reservation" | "job" | "context" | "checkpoint" | "budget" | "task" | "step" });

/** `GET /snapshot` of the event stream. */
export interface EventSnapshot {
  epoch: number;
  head: number;
  agents: { agent: string; heartbeat?: HeartbeatEvent; status_update?: StatusUpdateEvent }[];
}

export interface Frame {
  from: string;
  to: string;
  events: SwarmEvent[];
}

export interface Subscribed {
  epoch: number;
  head: number;
  oldest: number;
  mode: "delta" | "reset";
}

// Alerts.

export type Severity = "info" | "warning" | "critical";

export interface Alert {
  alert_id: string;
  alert_type: string;
  severity: Severity;
  service_id: string | null;
  service_name: string;
  missed_beats: number;
  last_seen: string | null;
  action: string;
  ts: string;
  acked: boolean;
  message?: string;
  details?: Record<string, unknown>;
}

export interface AlertPage {
  alerts: Alert[];
  next_cursor: string | null;
}

// Calls.

export interface InFlight {
  run_id: string;
  ts: string;
  age_ms: number;
  route: string;
  agent?: string;
  service?: string;
  model?: string;
}

export interface Attempt {
  service_id?: string;
  name: string;
  model: string;
  provider?: string;
  outcome: string;
  http_status?: number;
  timings_ms: { connect?: number; first_byte?: number; total: number };
  usage?: Usage;
  cost?: Cost;
  error?: string;
}

export interface Receipt {
  run_id: string;
  agent?: string;
  agent_run_id?: string;
  budget?: string;
  route: string;
  dialect?: { in?: string; out?: string };
  target_request?: {
    type?: string;
    role?: string;
    require_caps?: string[];
    name?: string;
    model?: string;
    labels?: Record<string, string>;
  };
  policy?: { name: string; version?: string };
  snapshot?: { registry?: { epoch: number; index: number }; matrix?: string; age_ms: number };
  candidates?: { service_id?: string; name: string; model: string; score?: number; excluded?: string }[];
  excluded_counts?: Record<string, number>;
  attempts?: Attempt[];
  resolved?: { service_id?: string; name: string; url?: string; model: string; model_reported?: string; provider?: string };
  timings_ms: { discovery?: number; queue?: number; upstream?: number; first_token?: number; overhead?: number; total: number };
  usage?: Usage;
  cost_estimate: Cost & { price_version?: string };
  status: CallStatus;
  error?: { code: string; message: string };
  notes?: string[];
  content?: { request?: ContentPart; answer?: ContentPart };
  ts: string;
  seq?: number;
  prev?: string;
  hash?: string;
}

export interface ContentPart {
  bytes: number;
  text?: string;
  cut?: boolean;
  blake3?: string;
  sha256?: string;
}

export interface ReceiptPage {
  receipts: Receipt[];
  next_cursor: string | null;
  /** Records that the index had not taken in yet. */
  behind?: number;
}

export type GroupBy = "day" | "month" | "agent" | "agent_run" | "model" | "service" | "provider" | "budget";

export interface StatsRow {
  key: string | null;
  calls: number;
  by_status: Record<CallStatus, number>;
  tokens: Omit<Usage, "source">;
  usd: { confirmed: number; estimated: number };
  unknown_cost_calls: number;
}

export interface Stats {
  group_by: GroupBy;
  stats: StatsRow[];
  next_cursor: string | null;
  /** Records that the index had not taken in yet: the sums lack them. */
  behind?: number;
}

/** The one envelope of errors. */
export interface ErrorBody {
  code: string;
  message: string;
  retryable: boolean;
  fault: string;
  field?: string;
  request_id?: string;
  run_id?: string;
}
