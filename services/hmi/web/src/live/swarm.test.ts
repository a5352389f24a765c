import { describe, expect, test } from "vitest";
import type { HeartbeatEvent, InFlight, Receipt, Service, StatsRow, StatusUpdateEvent } from "../api/types";
import { AT, NOW, alert, beat, call, receipt, service, spend, ts, update } from "../testing/known";
import { type Random, random, seeds } from "../testing/random";
import { type Agent, Swarm } from "./swarm";

const NAMES = ["a", "b", "c", "d"];
/** Several services may go by one name. */
const IDS = NAMES.flatMap((name) => [`${name}1`, `${name}2`]);
const nameOf = (id: string): string => id.slice(0, 1);
const rows = (services: Service[], gone: string[] = [], reset = false) => ({
  cursor: "1:1",
  reset,
  heard_age_ms: 0,
  broken: null,
  services,
  gone,
});

/** What is true of a history, kept in the simplest way. */
class Naive {
  services = new Map<string, Service>();
  /** By the id that they name; by nobody's, under `name:…`. */
  beats = new Map<string, HeartbeatEvent>();

  beat(event: HeartbeatEvent): void {
    const first = [...this.order].find((id) => nameOf(id) === event.agent);
    const key = event.service_id ?? first ?? `name:${event.agent}`;
    if ((this.beats.get(key)?.seq ?? -1) < event.seq) this.beats.set(key, event);
  }

  /** In the order in which they took their names. */
  order = new Set<string>();

  put(row: Service): void {
    this.services.set(row.service_id, row);
    if (this.order.has(row.service_id)) return;
    this.order.add(row.service_id);
    const early = this.beats.get(`name:${row.name}`);
    if (!early || row.type !== "agent") return;
    this.beats.delete(`name:${row.name}`);
    if ((this.beats.get(row.service_id)?.seq ?? -1) < early.seq) this.beats.set(row.service_id, early);
  }

  remove(id: string): void {
    this.services.delete(id);
    if (this.order.delete(id)) this.beats.delete(id);
  }

  keys(now: number): Set<string> {
    const fresh = [...this.beats].filter(([key, { ts }]) => key.startsWith("name:") && now - Date.parse(ts) < 600_000);
    return new Set([...this.services.keys(), ...fresh.map(([key]) => key)]);
  }
}

/** One step of a random history, told to both. */
function step(chance: Random, seq: number, swarm: Swarm, naive: Naive): void {
  const id = chance.pick(IDS);
  const row = service({ service_id: id, name: nameOf(id), status: chance.pick(["ok", "degraded", "down"]) });
  switch (chance.below(8)) {
    case 0:
    case 1:
      naive.put(row);
      swarm.changes(rows([row]));
      break;
    case 2:
      naive.remove(id);
      if (chance.chance(0.5)) swarm.changes(rows([], [id]));
      else
        swarm.apply({
          event_type: "deregistered",
          seq,
          ts: ts(seq),
          service_id: id,
          service_name: nameOf(id),
          service_type: "agent",
        });
      break;
    case 3: {
      const listed = IDS.filter(() => chance.chance(0.5)).map((it) => service({ service_id: it, name: nameOf(it) }));
      for (const it of IDS) if (!listed.some(({ service_id }) => service_id === it)) naive.remove(it);
      for (const it of listed) naive.put(it);
      swarm.changes(rows(listed, [], true));
      break;
    }
    case 4: {
      const agents = [0, 1, 2].map(() => said(Math.max(1, seq - chance.below(30))));
      for (const it of agents) naive.beat(it);
      swarm.snapshot({
        epoch: 1,
        head: seq,
        agents: agents.map((heartbeat) => ({ agent: heartbeat.agent, heartbeat })),
      });
      break;
    }
    default: {
      // Late, doubled, out of order, or new.
      const event = said(chance.chance(0.3) ? Math.max(1, seq - chance.below(30)) : seq);
      naive.beat(event);
      swarm.apply(event);
    }
  }
}

/** The beat of this place of the journal, which is the same however often it comes. */
function said(seq: number): HeartbeatEvent {
  const its = random(seq);
  const name = its.pick(NAMES);
  return beat(name, seq, {
    service_id: its.chance(0.6) ? `${name}${1 + its.below(2)}` : undefined,
    progress: its.below(10) / 10,
  });
}

describe("who is there", () => {
  test("the agents are those that are registered and those that say something all the same", () => {
    seeds(60, (random) => {
      const [swarm, naive] = [new Swarm(NOW), new Naive()];
      for (let seq = 1; seq <= 150; seq += 1) {
        step(random, seq, swarm, naive);
        const now = NOW + seq + random.below(2) * 599_990;
        const keys = swarm.agentKeys(now);
        expect(new Set(keys)).toEqual(naive.keys(now));
        expect(keys.length).toBe(new Set(keys).size);
      }
    });
  });

  test("each one's beat is its latest, whatever comes late, twice, or in another's name", () => {
    seeds(60, (random) => {
      const [swarm, naive] = [new Swarm(NOW), new Naive()];
      for (let seq = 1; seq <= 150; seq += 1) {
        step(random, seq, swarm, naive);
        const keys = swarm.agentKeys(NOW + seq);
        expect(keys.map((key) => swarm.agent(key)?.beat?.seq)).toEqual(keys.map((key) => naive.beats.get(key)?.seq));
      }
    });
  });

  test("the structure grows whenever who is there, or under whom, changes", () => {
    seeds(40, (random) => {
      const [swarm, naive] = [new Swarm(NOW), new Naive()];
      let before = { structure: swarm.structure, keys: "" };
      for (let seq = 1; seq <= 100; seq += 1) {
        step(random, seq, swarm, naive);
        const after = { structure: swarm.structure, keys: [...swarm.agentKeys(NOW + seq)].sort().join() };
        if (after.keys !== before.keys) expect(after.structure).toBeGreaterThan(before.structure);
        before = after;
      }
    });
  });
});

describe("an agent is a new object", () => {
  const content = ({ service, beat, said, calls, spend, moved_at }: Agent) => ({
    service,
    beat,
    said,
    calls,
    spend,
    moved_at,
  });

  /** What can happen to agents `a` to `d`, each of one service. */
  function happen(
    random: Random,
    seq: number,
    swarm: Swarm,
    state: { calls: InFlight[]; spend: StatsRow[] },
  ): string | undefined {
    const name = random.pick(NAMES);
    const id = `${name}1`;
    switch (random.below(7)) {
      case 0:
        swarm.apply(beat(name, seq, { service_id: id, progress: random.below(3) / 2 }));
        return name;
      case 1:
        swarm.apply(update(name, seq, { event: random.pick(["started", "progress", "completed"]) }));
        return name;
      case 2: {
        const run_id = `gw-${name}-${random.below(3)}`;
        state.calls = state.calls.filter((it) => it.run_id !== run_id);
        swarm.apply(receipt(run_id, seq, { agent: name }));
        return name;
      }
      case 3:
        swarm.changes(rows([service({ service_id: id, name, load: random.below(3) })]));
        return name;
      case 4:
        swarm.apply({
          event_type: random.pick(["paused", "resumed"]),
          seq,
          ts: AT,
          service_id: id,
          service_name: name,
          service_type: "agent",
        });
        return name;
      case 5:
        state.calls = state.calls.filter((it) => it.agent !== name);
        if (random.chance(0.5)) state.calls.push(call(`gw-${name}-${random.below(3)}`, name));
        swarm.inflight([...state.calls]);
        return name;
      default:
        state.spend = state.spend.filter(({ key }) => key !== name);
        if (random.chance(0.8)) state.spend.push(spend(name, random.below(3), random.below(2)));
        swarm.spent([...state.spend]);
        return name;
    }
  }

  test("whenever something of it changes, and never for what happens to another", () => {
    seeds(40, (random) => {
      const swarm = new Swarm(NOW);
      swarm.changes(rows(NAMES.map((name) => service({ service_id: `${name}1`, name }))));
      const state = { calls: [] as InFlight[], spend: [] as StatsRow[] };
      let before = new Map(NAMES.map((name) => [name, swarm.named(name) as Agent]));
      for (let seq = 1; seq <= 100; seq += 1) {
        const about = happen(random, seq, swarm, state);
        const after = new Map(NAMES.map((name) => [name, swarm.named(name) as Agent]));
        const others = NAMES.filter((name) => name !== about && after.get(name) !== before.get(name));
        expect(others, `new without a reason, while something happened to ${about}`).toEqual([]);
        // An old object with new content would not be drawn: read anew, it must say the same.
        const read = NAMES.map((name) => content(after.get(name) as Agent));
        expect(read).toEqual(NAMES.map((name) => assembled(swarm, name)));
        before = after;
      }
    });

    /** As a swarm that kept nothing assembled would have it. */
    function assembled(swarm: Swarm, name: string) {
      const inner = swarm as unknown as { assembled: Map<string, Agent> };
      const kept = inner.assembled;
      inner.assembled = new Map();
      const now = content(swarm.agent(`${name}1`) as Agent);
      inner.assembled = kept;
      return now;
    }
  });

  test("not for a beat or an update that is late or comes twice", () => {
    const swarm = new Swarm(NOW);
    swarm.changes(rows([service({ name: "a" })]));
    swarm.apply(beat("a", 10, { service_id: "a" }));
    swarm.apply(update("a", 11));
    const agent = swarm.agent("a");
    for (const seq of [10, 9, 1]) {
      swarm.apply(beat("a", seq, { service_id: "a", progress: 0.1 }));
      swarm.apply(update("a", seq + 1, { event: "failed" }));
      swarm.snapshot({
        epoch: 1,
        head: 11,
        agents: [{ agent: "a", heartbeat: beat("a", seq), status_update: update("a", seq) }],
      });
    }
    expect(swarm.agent("a")).toBe(agent);
  });

  test("not for a look at its calls and costs that brings nothing new", () => {
    const swarm = new Swarm(NOW);
    swarm.changes(rows([service({ name: "a" })]));
    const look = (age_ms: number) => {
      swarm.inflight([call("gw-1", "a", { age_ms }), call("gw-2", undefined)]);
      swarm.spent([spend("a", 3, 0.5), spend(null, 1)]);
      return swarm.agent("a");
    };
    const first = look(0);
    expect(look(5_000)).toBe(first);
    swarm.spent([spend("a", 3, 0.6)]);
    expect(swarm.agent("a")?.spend?.usd.confirmed).toBe(0.6);
    swarm.spent([]);
    expect(swarm.agent("a")?.spend).toBe(undefined);
  });
});

describe("what is told in an unlucky order", () => {
  test("a beat that comes before the registry's row is there when the row is", () => {
    const swarm = new Swarm(NOW);
    swarm.snapshot({ epoch: 1, head: 5, agents: [{ agent: "a", heartbeat: beat("a", 5, { service_id: "a1" }) }] });
    expect(swarm.agentKeys(NOW)).toEqual([]);
    swarm.changes(rows([service({ service_id: "a1", name: "a" })]));
    expect(swarm.agent("a1")?.beat?.seq).toBe(5);
  });

  test("the last beat of one that is gone is nobody else's of the same name", () => {
    const swarm = new Swarm(NOW);
    swarm.changes(rows([service({ service_id: "a1", name: "a" }), service({ service_id: "a2", name: "a" })]));
    swarm.changes(rows([], ["a1"]));
    swarm.apply(beat("a", 7, { service_id: "a1" }));
    expect(swarm.agent("a2")?.beat).toBe(undefined);
    expect(swarm.agentKeys(NOW)).toEqual(["a2"]);
  });

  test("a journal that begins again is heard from its beginning", () => {
    const swarm = new Swarm(NOW);
    swarm.changes(rows([service({ name: "a" })]));
    swarm.snapshot({
      epoch: 1,
      head: 900,
      agents: [{ agent: "a", heartbeat: beat("a", 900), status_update: update("a", 899) }],
    });
    swarm.snapshot({
      epoch: 2,
      head: 3,
      agents: [{ agent: "a", heartbeat: beat("a", 2), status_update: update("a", 3) }],
    });
    swarm.apply(beat("a", 4, { service_id: "a" }));
    const agent = swarm.agent("a");
    expect([agent?.beat?.seq, agent?.said?.seq]).toEqual([4, 3]);
  });

  test("a pause that the registry's rows don't show yet is shown", () => {
    const swarm = new Swarm(NOW);
    swarm.changes(rows([service({ name: "a" })]));
    swarm.apply({ event_type: "paused", seq: 1, ts: AT, service_id: "a", service_name: "a", service_type: "agent" });
    expect(swarm.agent("a")?.service?.paused).toBe(true);
    swarm.apply({
      event_type: "paused",
      seq: 2,
      ts: AT,
      service_id: "unknown",
      service_name: "u",
      service_type: "agent",
    });
    expect(swarm.services.size).toBe(1);
  });
});

describe("calls", () => {
  test("a call that came with the history and as an event is counted once", () => {
    const swarm = new Swarm(NOW - 60_000);
    const told = receipt("gw-1", 1, { ts: ts(-5_000) });
    swarm.apply(told);
    const kept = (run_id: string): Receipt => ({
      run_id,
      ts: ts(-5_000),
      route: "/invoke",
      status: "ok",
      timings_ms: { total: 10 },
      cost_estimate: { usd: 0, state: "confirmed" },
    });
    swarm.prime([kept("gw-2"), kept("gw-1")], NOW - 60_000);
    swarm.apply(receipt("gw-2", 2, { ts: ts(-5_000) }));
    swarm.apply(receipt("gw-3", 3, { ts: ts(-5_000) }));
    expect(swarm.window.rates(NOW).calls).toBe(3);
    expect(swarm.receipts.newest().map(({ call_id }) => call_id)).toEqual(["gw-3", "gw-2", "gw-1"]);
  });

  test("a call counts at its end, which is what its event tells, and not later", () => {
    const swarm = new Swarm(NOW - 60_000);
    swarm.apply(receipt("gw-1", 1, { ts: ts(-2_000), timings_ms: { total: 30_000 } }));
    expect(swarm.window.rates(NOW).calls).toBe(1);
  });

  test("who isn't registered is nobody until he beats, and not for ever", () => {
    const swarm = new Swarm(NOW);
    swarm.apply(receipt("gw-1", 1, { agent: "stranger" }));
    swarm.apply(update("stranger", 2));
    expect(swarm.named("stranger")).toBe(undefined);
    swarm.apply(beat("guest", 3));
    expect(swarm.agentKeys(NOW + 10)).toEqual(["name:guest"]);
    expect(swarm.agentKeys(NOW + 1_300_000)).toEqual([]);
    expect(swarm.named("guest")).toBe(undefined);
  });

  test("a receipt ends the call that its agent waited for", () => {
    const swarm = new Swarm(NOW);
    swarm.changes(rows([service({ name: "a" })]));
    swarm.inflight([call("gw-1", "a"), call("gw-2", "a")]);
    swarm.apply(receipt("gw-1", 1, { agent: "a", timings_ms: { total: 700 } }));
    const agent = swarm.agent("a");
    expect(agent?.calls.map(({ run_id }) => run_id)).toEqual(["gw-2"]);
    expect(agent?.moved_at).toBe(NOW + 1);
  });
});

describe("alerts", () => {
  test("an alert of which somebody else has taken note is open no more", () => {
    const swarm = new Swarm(NOW);
    const old = ts(-60_000);
    swarm.history([alert("1", { ts: old }), alert("2", { ts: old }), alert("3", { ts: ts(-1_000) })]);
    swarm.open({ alerts: [alert("2", { ts: old })], next_cursor: null }, NOW);
    // The newest may not have reached the monitor yet.
    expect([...swarm.alerts.values()].map(({ alert_id, acked }) => [alert_id, acked])).toEqual([
      ["1", true],
      ["2", false],
      ["3", false],
    ]);
  });

  test("a page of open alerts says nothing of those that are older than it", () => {
    const swarm = new Swarm(NOW);
    swarm.history([alert("old", { ts: ts(-90_000) }), alert("between", { ts: ts(-50_000) })]);
    swarm.open({ alerts: [alert("a", { ts: ts(-40_000) }), alert("b", { ts: ts(-60_000) })], next_cursor: "b" }, NOW);
    expect(swarm.alerts.get("old")?.acked).toBe(false);
    expect(swarm.alerts.get("between")?.acked).toBe(true);
  });

  test("of a flood of alerts the newest stay", () => {
    const swarm = new Swarm(NOW);
    swarm.history(Array.from({ length: 3_000 }, (_, n) => alert(`${n}`, { ts: ts(n) })));
    expect(swarm.alerts.size).toBeLessThanOrEqual(1_000);
    expect(swarm.alerts.has("2999")).toBe(true);
    expect(swarm.alerts.has("0")).toBe(false);
  });
});

test("what has changed is told once", () => {
  const swarm = new Swarm(NOW);
  swarm.changes(rows([service({ name: "a" })]));
  expect(swarm.take()).toEqual({ list: true, agents: true, alerts: false, receipts: false, tail: false });
  expect(swarm.take()).toEqual({ list: false, agents: false, alerts: false, receipts: false, tail: false });
  swarm.apply(update("a", 1) satisfies StatusUpdateEvent);
  expect(swarm.take()).toEqual({ list: false, agents: true, alerts: false, receipts: false, tail: true });
});
