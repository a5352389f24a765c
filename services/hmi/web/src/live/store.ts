// What the screens show: the swarm as it is known, bound to Solid. Events are applied as they come, and drawn together.

import { batch, createEffect, createMemo, createRoot, createSignal } from "solid-js";
import { serverTime } from "../lib/time";
import { get, query } from "../api/client";
import { stats } from "../api/stats";
import type {
  AlertPage,
  Hello,
  InFlight,
  PartHealth,
  ReceiptPage,
  ServiceChanges,
  Stats,
  StatsRow,
  SwarmEvent,
} from "../api/types";
import { same } from "../lib/group";
import { prefs } from "../lib/prefs";
import { type Item, attention } from "./attention";
import { type Source, poll, startLooking } from "./source";
import { type LinkState, Stream, asSeenFrom } from "./stream";
import { type Agent, Swarm } from "./swarm";

/** Events are drawn together, at most so often. */
const DRAW_MS = 60;
/** The registry's rows are looked at so often, whatever the rhythm of the gauges: what changed is little. */
const LIST_MS = 1_000;
/** The registry speaks every 5 s; who hears nothing for longer knows nothing. */
const REGISTRY_SPEAKS_MS = 8_000;
/** Pages of the gateway's latest calls that the rates begin with. */
const PRIMING = { span_ms: 600_000, limit: 1_000 };

const swarm = new Swarm(serverTime());

const signals = createRoot(() => {
  const version = () => createSignal(0, { equals: false });
  return {
    list: version(),
    agents: version(),
    alerts: version(),
    receipts: version(),
    tail: version(),
    hello: createSignal<Hello>(),
    link: createSignal<LinkState>({ live: false, reason: "not connected yet" }),
    now: createSignal(serverTime()),
    every: createSignal(0, { equals: false }),
  };
});

type Listening = (event: SwarmEvent) => void;
const listeners = new Set<Listening>();

/** Hears every event that happens from now on, not those of a snapshot. */
export function onEvent(listening: Listening): () => void {
  listeners.add(listening);
  return () => listeners.delete(listening);
}

let drawing = false;

function draw(): void {
  if (drawing) return;
  drawing = true;
  setTimeout(() => {
    drawing = false;
    const touched = swarm.take();
    batch(() => {
      for (const topic of ["list", "agents", "alerts", "receipts", "tail"] as const) {
        if (touched[topic]) signals[topic][1](0);
      }
    });
  }, DRAW_MS);
}

// What must be looked at again because of what happened.
const LISTED = new Set(["registered", "deregistered", "paused", "resumed", "promoted", "alert"]);

const everyMs = () => prefs().every_s * 1_000;
let cursor: string | undefined;

export const sources = createRoot(() => ({
  services: poll<ServiceChanges>(
    () => get(`/api/services${query({ since: cursor })}`),
    { every_ms: () => LIST_MS },
    (changes) => {
      cursor = changes.cursor;
      swarm.changes(changes);
      draw();
    },
  ),
  health: poll<{ services: PartHealth[] }>(() => get("/api/health"), { every_ms: () => Math.min(everyMs(), 5_000) }),
  inflight: poll<{ inflight: InFlight[] }>(
    () => get("/api/gateway/inflight"),
    { every_ms: everyMs },
    ({ inflight }) => {
      swarm.inflight(inflight);
      draw();
    },
    // Nobody waits for a call of which nothing is known any more.
    () => {
      swarm.inflight([]);
      draw();
    },
  ),
  byAgent: poll<StatsRow[]>(
    async () => (await stats({ group_by: "agent" })).rows,
    { every_ms: everyMs },
    (rows) => {
      swarm.spent(rows);
      draw();
    },
  ),
  byDay: poll<Stats>(() => get("/api/gateway/receipts/stats?group_by=day&limit=31"), { every_ms: everyMs }),
  alerts: poll<AlertPage>(
    () => get("/api/monitor/alerts?acked=false&limit=500"),
    { every_ms: () => 30_000 },
    (page) => {
      swarm.open(page, serverTime());
      draw();
    },
  ),
}));

/** Where things are. */
export const hello = signals.hello[0];
/** The time, once a second. */
export const now = signals.now[0];
/** Whether events are heard. A stream that stands still keeps its connections; that it does not answer, the HMI knows sooner. */
export const link = createRoot(() =>
  createMemo((): LinkState => {
    const part = sources.health.data()?.services.find(({ name }) => name === "event-stream");
    const silent = part?.status === "unreachable" && sources.health.error() === undefined;
    return signals.link[0]().live && silent ? { live: false, reason: "the event stream does not answer" } : signals.link[0]();
  }),
);

/** What is registered, as something that may be old: the HMI may be away, or the registry behind it. */
export const list: Pick<Source<unknown>, "at" | "error"> = createRoot(() => {
  const heard = () => sources.services.data()?.heard_age_ms ?? 0;
  return {
    at: createMemo(() => {
      const at = sources.services.at();
      return at === undefined ? undefined : at - (heard() > REGISTRY_SPEAKS_MS ? heard() : 0);
    }),
    error: createMemo(() => {
      const { broken } = sources.services.data() ?? { broken: null };
      return sources.services.error() ?? (broken ? `the registry is not heard: ${broken}` : silence(heard()));
    }),
  };
});

function silence(age_ms: number): string | undefined {
  return age_ms > REGISTRY_SPEAKS_MS ? "the registry says nothing" : undefined;
}

/** What is heard as events, as something that may be old. */
export const heard: Pick<Source<unknown>, "at" | "error"> = createRoot(() => {
  const [at, setAt] = createSignal<number>();
  createEffect(() => {
    if (link().live) setAt(now());
  });
  return { at, error: () => (link().live ? undefined : link().reason) };
});
/** Says so once an interval of the user's choice: for gauges and charts. */
export const everyTick = signals.every[0];

export const services = createRoot(() =>
  createMemo(() => {
    signals.list[0]();
    return [...swarm.services.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }),
);

/** Grows whenever who is there, or under whom, changes. */
export const structure = createRoot(() =>
  createMemo(() => {
    signals.list[0]();
    signals.agents[0]();
    return swarm.structure;
  }),
);

/** The keys of all agents, by name: the same list as long as nobody comes or goes. */
export const agentKeys = createRoot(() =>
  createMemo(
    (): string[] => {
      structure();
      const named = swarm.agentKeys(now()).map((key) => ({ key, name: swarm.agent(key)?.name ?? "" }));
      return named.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)).map(({ key }) => key);
    },
    [],
    { equals: same },
  ),
);

/** Tells whenever any agent has moved, at most once a drawing. */
export const moved = signals.agents[0];

/** All agents as they are now; whoever asks is told only of those who come and go. */
export function agents(): Agent[] {
  return agentKeys().flatMap((key) => swarm.agent(key) ?? []);
}

/** One agent; the same object until something of it changes. */
export function agent(key: string): Agent | undefined {
  signals.agents[0]();
  return swarm.agent(key);
}

/** The agent that goes by this name. */
export function agentNamed(name: string): Agent | undefined {
  signals.agents[0]();
  return swarm.named(name);
}

export const alerts = createRoot(() =>
  createMemo(() => {
    signals.alerts[0]();
    return [...swarm.alerts.values()].sort((a, b) => (a.ts < b.ts ? 1 : -1));
  }),
);

/** Takes over what an owner has just said of an alert. */
export function learnAlerts(page: AlertPage): void {
  swarm.history(page.alerts);
  draw();
}

export function latestReceipts(limit: number) {
  signals.receipts[0]();
  return swarm.receipts.newest(limit);
}

export function tail(limit: number) {
  signals.tail[0]();
  return swarm.tail.newest(limit);
}

/** What calls did in the last minute; looked at in the user's rhythm. */
export const rates = createRoot(() =>
  createMemo(() => {
    everyTick();
    return swarm.window.rates(serverTime());
  }),
);

/** The last ten minutes, for a chart. */
export const series = createRoot(() =>
  createMemo(() => {
    everyTick();
    return swarm.window.series(serverTime(), 600, 5);
  }),
);

/** The gateway's sums of today, UTC; undefined until it has told, zero when there was no call. */
export const today = createRoot(() =>
  createMemo((): StatsRow | null | undefined => {
    const days = sources.byDay.data();
    if (!days) return undefined;
    const day = new Date(now()).toISOString().slice(0, 10);
    return days.stats.find((row) => row.key === day) ?? null;
  }),
);

/** What needs a human; looked at once a second, and whenever the list or the alerts change. */
export const queue = createRoot(() =>
  createMemo((): Item[] =>
    attention({
      now: now(),
      agents: agents(),
      services: services(),
      alerts: alerts(),
      parts: sources.health.data()?.services ?? [],
    }),
  ),
);

/** Begins to look and to listen. */
export function start(): void {
  const stream: { link?: Stream } = {};
  startLooking(() => stream.link?.woke());
  setInterval(() => signals.now[1](serverTime()), 1_000);
  beat();
  void greet().then((known) => {
    stream.link = new Stream(asSeenFrom(location.hostname, known.events_url), {
      snapshot: (snapshot) => {
        swarm.snapshot(snapshot);
        sources.alerts.look();
        void prime();
        draw();
      },
      event: (event) => {
        swarm.apply(event);
        tell(event);
        if (LISTED.has(event.event_type)) sources.services.look();
        draw();
      },
      state: signals.link[1],
    });
  });
}

/** A listener that fails, as sounds may in a browser that has none, keeps nobody else from what happens next. */
function tell(event: SwarmEvent): void {
  for (const listening of listeners) {
    try {
      listening(event);
    } catch (error) {
      console.error(error);
    }
  }
}

/** Says once an interval that gauges may move; the interval is the user's and may change any time. */
function beat(): void {
  signals.every[1](0);
  setTimeout(beat, everyMs());
}

async function greet(): Promise<Hello> {
  for (;;) {
    try {
      const known = await get<Hello>("/api/hello");
      signals.hello[1](known);
      return known;
    } catch {
      await new Promise((done) => setTimeout(done, 1_000));
    }
  }
}

/** Attempts at the newest receipts; a later beginning takes the place of one that is under way. */
let priming = 0;

/** Where events begin, rates and latest calls begin with what the gateway knows already; what lies between isn't known to be nothing. */
async function prime(): Promise<void> {
  priming += 1;
  const mine = priming;
  const begun = serverTime();
  swarm.window.begin(begun);
  for (let pause_ms = 1_000; mine === priming; pause_ms = Math.min(pause_ms * 2, 30_000)) {
    try {
      const since = new Date(begun - PRIMING.span_ms).toISOString();
      const page = await get<ReceiptPage>(`/api/gateway/receipts${query({ since, limit: PRIMING.limit })}`);
      if (mine !== priming) return;
      // There may be more than one page has: then all are known only from its oldest on.
      const oldest = page.receipts.at(-1);
      const whole = page.next_cursor === null || !oldest;
      swarm.prime(page.receipts, whole ? begun - PRIMING.span_ms : Date.parse(oldest.ts) + oldest.timings_ms.total);
      signals.every[1](0);
      draw();
      return;
    } catch {
      await new Promise((done) => setTimeout(done, pause_ms));
    }
  }
}
