// What is known of the swarm: the registry's rows, and what events say since. Pure: it is told everything, the time too.

import type {
  Alert,
  AlertEvent,
  AlertPage,
  EventSnapshot,
  HeartbeatEvent,
  InFlight,
  Receipt,
  ReceiptEvent,
  Service,
  ServiceChanges,
  StatsRow,
  StatusUpdateEvent,
  SwarmEvent,
} from "../api/types";
import { asked } from "../lib/asked";
import { groupBy } from "../lib/group";
import { Window } from "./rates";
import { Ring } from "./ring";

/** Everything that is known of one agent. A new object whenever something of it changes. */
export interface Agent {
  /** The registry's id, or `name:…` of one that the registry doesn't know. */
  key: string;
  name: string;
  /** What the registry says; none of an agent that only publishes events. */
  service?: Service;
  /** Its latest beat. */
  beat?: HeartbeatEvent;
  /** Its latest status update. */
  said?: StatusUpdateEvent;
  /** Its calls that are under way, the oldest first. */
  calls: InFlight[];
  /** What all of its calls cost, by the gateway. */
  spend?: StatsRow;
  /** When its progress, its status or its calls last moved, in milliseconds since 1970. */
  moved_at?: number;
}

/** What of it has changed, for whoever draws. */
export interface Touched {
  list: boolean;
  agents: boolean;
  alerts: boolean;
  receipts: boolean;
  tail: boolean;
}

/** An agent that isn't registered is forgotten when it says nothing for so long. */
const UNREGISTERED_MS = 600_000;
/** After so long the monitor has every alert that was published. */
const SETTLED_MS = 30_000;
/** Beats that are kept of services that aren't listed yet. */
const EARLY = 5_000;
const TAIL = 500;
const ALERTS = 500;
/** Names of which something is kept: as many as the registry lists. */
const NAMES = 20_000;

export class Swarm {
  readonly services = new Map<string, Service>();
  readonly alerts = new Map<string, Alert>();
  readonly receipts = new Ring<ReceiptEvent>(TAIL);
  readonly tail = new Ring<SwarmEvent>(TAIL);
  readonly window: Window;
  touched: Touched = untouched();
  /** Grows whenever who is there, or under whom, changes. */
  structure = 0;

  private byName = new Map<string, string[]>();
  private beats = new Map<string, HeartbeatEvent>();
  private said = new Map<string, StatusUpdateEvent>();
  private moved = new Map<string, number>();
  private calls = new Map<string, InFlight[]>();
  private spend = new Map<string, StatsRow>();
  private assembled = new Map<string, Agent>();
  private primed = new Set<string>();
  private early = new Map<string, HeartbeatEvent>();
  private epoch: number | undefined;

  constructor(now: number) {
    this.window = new Window(now);
  }

  /** What has changed since it was last asked. */
  take(): Touched {
    const touched = this.touched;
    this.touched = untouched();
    return touched;
  }

  /** The registry's rows: all of them, or those that changed. */
  changes({ reset, services, gone }: ServiceChanges): void {
    if (reset) {
      const there = new Set(services.map((service) => service.service_id));
      for (const id of this.services.keys()) if (!there.has(id)) this.remove(id);
    }
    for (const service of services) this.put(service);
    for (const id of gone) this.remove(id);
  }

  /** The latest of each agent, where a subscription begins. */
  snapshot({ epoch, agents }: EventSnapshot): void {
    if (this.epoch !== undefined && this.epoch !== epoch) this.unhear();
    this.epoch = epoch;
    for (const { agent, heartbeat, status_update } of agents) {
      if (heartbeat) this.beat({ ...heartbeat, agent });
      if (status_update) this.update({ ...status_update, agent });
    }
  }

  /** Another journal counts from the beginning again: nothing of it would be newer than what the old one told. */
  private unhear(): void {
    for (const said of [this.beats, this.said, this.early, this.assembled]) said.clear();
    this.structure += 1;
    this.touched.list = true;
    this.touched.agents = true;
  }

  apply(event: SwarmEvent): void {
    this.touched.tail = true;
    if (event.event_type !== "heartbeat") this.tail.push(event);
    switch (event.event_type) {
      case "heartbeat":
        this.beat(event);
        break;
      case "status_update":
        this.update(event);
        break;
      case "alert":
        this.alert(event);
        break;
      case "receipt":
        this.receipt(event);
        break;
      case "deregistered":
        if (event.service_id) this.remove(event.service_id);
        break;
      case "paused":
      case "resumed":
        this.change(event.service_id, { paused: event.event_type === "paused" });
        break;
      case "promoted":
        if (event.to_role) this.change(event.service_id, { role: event.to_role });
        break;
    }
  }

  /** Calls that are under way, as the gateway told just now. */
  inflight(calls: InFlight[]): void {
    const byAgent = groupBy(
      calls.filter((call) => call.agent !== undefined),
      (call) => call.agent as string,
    );
    for (const name of new Set([...this.calls.keys(), ...byAgent.keys()])) {
      if (same(this.calls.get(name), byAgent.get(name))) continue;
      this.touchName(name);
    }
    this.calls = byAgent;
  }

  /** What each agent's calls cost, as the gateway's statistics say. */
  spent(rows: StatsRow[]): void {
    const byName = new Map(rows.filter((row) => row.key !== null).map((row) => [row.key as string, row]));
    for (const name of new Set([...this.spend.keys(), ...byName.keys()])) {
      if (!sameSpend(this.spend.get(name), byName.get(name))) this.touchName(name);
    }
    this.spend = byName;
  }

  /** Alerts of the monitor's history. */
  history(alerts: Alert[]): void {
    for (const alert of alerts) this.alerts.set(alert.alert_id, alert);
    this.trimAlerts();
    this.touched.alerts = true;
  }

  /** The open alerts, as the monitor lists them: of one that it should list and doesn't, somebody else has taken note. */
  open({ alerts, next_cursor }: AlertPage, now: number): void {
    const listed = new Set(alerts.map((alert) => alert.alert_id));
    const from = next_cursor === null ? 0 : Date.parse(alerts.at(-1)?.ts ?? "");
    for (const alert of this.alerts.values()) {
      const at = Date.parse(alert.ts);
      // The monitor may not have heard of the newest yet.
      if (alert.acked || listed.has(alert.alert_id) || !(at > from) || now - at < SETTLED_MS) continue;
      this.alerts.set(alert.alert_id, { ...alert, acked: true });
    }
    this.history(alerts);
  }

  /**
   * The gateway's newest receipts, the newest first, with which rates and latest calls begin, from `from` on whole. Those that are known
   * already are told once; those that come as events later, too.
   */
  prime(receipts: Receipt[], from: number): void {
    const known = new Map(this.receipts.newest().map((receipt) => [receipt.call_id, receipt]));
    const told = receipts.filter((receipt) => !known.has(receipt.run_id)).map(asEvent);
    this.primed = new Set(told.map((receipt) => receipt.call_id));
    this.receipts.clear();
    this.window.clear();
    for (const receipt of [...known.values(), ...told].sort((a, b) => Date.parse(a.ts) - Date.parse(b.ts))) {
      this.receipts.push(receipt);
      this.count(receipt);
    }
    this.window.begin(from);
    this.touched.receipts = true;
  }

  /** The keys of all agents: those registered, and those that say something all the same. */
  agentKeys(now: number): string[] {
    const keys: string[] = [];
    for (const service of this.services.values()) if (service.type === "agent") keys.push(service.service_id);
    for (const [key, beat] of this.beats) {
      if (!key.startsWith("name:")) continue;
      const age_ms = now - Date.parse(beat.ts);
      if (age_ms < UNREGISTERED_MS) keys.push(key);
      else if (age_ms > 2 * UNREGISTERED_MS) this.forget(key, beat.agent);
    }
    return keys;
  }

  agent(key: string): Agent | undefined {
    const known = this.assembled.get(key);
    if (known) return known;
    const service = this.services.get(key);
    const beat = this.beats.get(key);
    const name = service?.name ?? beat?.agent;
    if (name === undefined) return undefined;
    const agent: Agent = {
      key,
      name,
      service,
      beat,
      said: this.said.get(name),
      calls: this.calls.get(name) ?? [],
      spend: this.spend.get(name),
      moved_at: this.moved.get(name),
    };
    this.assembled.set(key, agent);
    return agent;
  }

  /** The agent that goes by this name, as events and receipts name it. */
  named(name: string): Agent | undefined {
    return this.agent(this.keyOf(name));
  }

  private keyOf(name: string, id?: string): string {
    if (id !== undefined && this.services.has(id)) return id;
    return this.byName.get(name)?.[0] ?? `name:${name}`;
  }

  private put(service: Service): void {
    const before = this.services.get(service.service_id);
    this.services.set(service.service_id, service);
    if (before?.name !== service.name || before.labels.parent !== service.labels.parent) {
      if (before) this.unname(before);
      const ids = this.byName.get(service.name);
      if (ids) ids.push(service.service_id);
      else this.byName.set(service.name, [service.service_id]);
      // What it said before the registry was heard is its own.
      this.adopt(service);
      this.structure += 1;
    }
    const early = this.early.get(service.service_id);
    if (early && this.early.delete(service.service_id)) this.beat(early);
    this.touched.list = true;
    this.touch(service.service_id);
  }

  private adopt(service: Service): void {
    const key = `name:${service.name}`;
    const beat = this.beats.get(key);
    if (!beat || service.type !== "agent") return;
    this.beats.delete(key);
    this.assembled.delete(key);
    this.beats.set(service.service_id, beat);
  }

  private remove(id: string): void {
    const service = this.services.get(id);
    if (!service) return;
    this.services.delete(id);
    this.unname(service);
    this.beats.delete(id);
    if (!this.byName.has(service.name)) {
      this.said.delete(service.name);
      this.moved.delete(service.name);
    }
    this.structure += 1;
    this.touched.list = true;
    this.touch(id);
  }

  /** Who isn't registered and says nothing any more. */
  private forget(key: string, name: string): void {
    this.beats.delete(key);
    this.assembled.delete(key);
    if (this.byName.has(name)) return;
    this.said.delete(name);
    this.moved.delete(name);
  }

  private unname(service: Service): void {
    const left = (this.byName.get(service.name) ?? []).filter((id) => id !== service.service_id);
    if (left.length === 0) this.byName.delete(service.name);
    else this.byName.set(service.name, left);
  }

  private change(id: string | undefined, change: Partial<Service>): void {
    const service = id === undefined ? undefined : this.services.get(id);
    if (service) this.put({ ...service, ...change });
  }

  private beat(event: HeartbeatEvent): void {
    if (event.service_id !== undefined && !this.services.has(event.service_id)) return this.wait(event, event.service_id);
    const key = this.keyOf(event.agent, event.service_id);
    const before = this.beats.get(key);
    if (before && before.seq >= event.seq) return;
    if (!before && key.startsWith("name:")) {
      this.structure += 1;
      this.touched.list = true;
    }
    if (!before || before.progress !== event.progress || before.status !== event.status) this.move(event.agent, event.ts);
    this.beats.set(key, event);
    this.touch(key);
  }

  /** The registry told this one; its list hasn't it yet, or not any more. */
  private wait(event: HeartbeatEvent, id: string): void {
    if ((this.early.get(id)?.seq ?? -1) >= event.seq) return;
    this.early.delete(id);
    this.early.set(id, event);
    if (this.early.size > EARLY) for (const [oldest] of this.early) return void this.early.delete(oldest);
  }

  private update(event: StatusUpdateEvent): void {
    const before = this.said.get(event.agent);
    if (before && before.seq >= event.seq) return;
    this.said.set(event.agent, event);
    bound(this.said);
    this.move(event.agent, event.ts);
    this.touchName(event.agent);
  }

  private receipt(event: ReceiptEvent): void {
    if (!this.primed.delete(event.call_id)) {
      this.receipts.push(event);
      this.count(event);
    }
    this.touched.receipts = true;
    if (event.agent === undefined) return;
    const left = this.calls.get(event.agent)?.filter((call) => call.run_id !== event.call_id) ?? [];
    if (left.length > 0) this.calls.set(event.agent, left);
    else this.calls.delete(event.agent);
    this.move(event.agent, event.ts);
    this.touchName(event.agent);
  }

  private count({ ts, status, usage, timings_ms }: ReceiptEvent): void {
    this.window.add({ at: Date.parse(ts), status, total_ms: timings_ms?.total, usage });
  }

  private move(name: string, ts: string): void {
    this.moved.set(name, Math.max(this.moved.get(name) ?? 0, Date.parse(ts)));
    bound(this.moved);
  }

  private alert({ seq: _, event_type: __, service_id, ...alert }: AlertEvent): void {
    this.alerts.set(alert.alert_id, { ...alert, service_id: service_id ?? null });
    this.trimAlerts();
    this.touched.alerts = true;
  }

  private trimAlerts(): void {
    if (this.alerts.size <= ALERTS * 2) return;
    const newest = [...this.alerts.values()].sort((a, b) => (a.ts < b.ts ? 1 : -1)).slice(0, ALERTS);
    this.alerts.clear();
    for (const alert of newest) this.alerts.set(alert.alert_id, alert);
  }

  private touchName(name: string): void {
    for (const id of this.byName.get(name) ?? [`name:${name}`]) this.touch(id);
  }

  private touch(key: string): void {
    this.assembled.delete(key);
    this.touched.agents = true;
  }
}

/** A receipt in the words of its event, which tells of the end of a call. */
function asEvent(receipt: Receipt): ReceiptEvent {
  const { run_id, cost_estimate, timings_ms, status, agent, route, usage } = receipt;
  const by = asked(receipt);
  const ts = new Date(Date.parse(receipt.ts) + timings_ms.total).toISOString();
  const answered = { service: by?.name, model: by?.model, cost: cost_estimate, timings_ms };
  return { event_type: "receipt", seq: 0, call_id: run_id, ts, status, agent, route, usage, ...answered };
}

/** Of names that nobody ever registers, no more is kept than of those that are. */
function bound(map: Map<string, unknown>): void {
  if (map.size > NAMES) for (const [oldest] of map) return void map.delete(oldest);
}

function untouched(): Touched {
  return { list: false, agents: false, alerts: false, receipts: false, tail: false };
}

function sameSpend(a: StatsRow | undefined, b: StatsRow | undefined): boolean {
  return (
    a?.calls === b?.calls &&
    a?.usd.confirmed === b?.usd.confirmed &&
    a?.usd.estimated === b?.usd.estimated &&
    a?.unknown_cost_calls === b?.unknown_cost_calls
  );
}

function same(a: InFlight[] | undefined, b: InFlight[] | undefined): boolean {
  if (a?.length !== b?.length) return false;
  return a?.every((call, index) => call.run_id === b?.[index]?.run_id && call.service === b?.[index]?.service) ?? true;
}
