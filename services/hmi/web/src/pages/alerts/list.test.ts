import { expect, test } from "vitest";
import type { Alert, AlertPage } from "../../api/types";
import { NOW, alert, ts } from "../../testing/known";
import { type Random, seeds } from "../../testing/random";
import {
  type Filter,
  type Loaded,
  NOTHING,
  type Order,
  SEVERITIES,
  byType,
  fits,
  merged,
  questions,
  withPage,
} from "./list";

/** A monitor that lists its alerts, the newest first, a few at a time. */
class Monitor {
  constructor(readonly alerts: Alert[]) {}

  page(filter: Filter, cursor: string | null, limit: number): AlertPage {
    const fitting = this.alerts.filter((it) => fits(it, filter)).sort((a, b) => Date.parse(b.ts) - Date.parse(a.ts));
    const from = cursor === null ? 0 : fitting.findIndex((it) => it.alert_id === cursor) + 1;
    const alerts = fitting.slice(from, from + limit);
    return { alerts, next_cursor: from + limit < fitting.length ? (alerts.at(-1)?.alert_id ?? null) : null };
  }
}

function some(random: Random, count: number): Alert[] {
  return Array.from({ length: count }, (_, n) =>
    alert(`${1000 + n}`, {
      ts: ts(n * 1_000),
      severity: random.pick(SEVERITIES),
      alert_type: random.pick(["heartbeat_miss", "hop_limit"]),
      service_name: random.pick(["a", "b"]),
      acked: random.chance(0.3),
    }),
  );
}

const FILTERS: Filter[] = [
  {},
  { acked: false },
  { acked: true, type: "hop_limit" },
  { severity: "warning" },
  { service: "a", since: ts(20_000) },
];

function load(loaded: Loaded, monitor: Monitor, filter: Filter, order: Order): Loaded {
  const asked = questions(filter, order);
  const next = asked[loaded.question];
  return next ? withPage(loaded, monitor.page(next, loaded.cursor, 7), asked.length) : loaded;
}

function inOrder(alerts: Alert[], order: Order): Alert[] {
  const rank = ({ severity }: Alert) => (order === "severity" ? SEVERITIES.indexOf(severity) : 0);
  return alerts.toSorted((a, b) => rank(a) - rank(b) || Date.parse(b.ts) - Date.parse(a.ts));
}

test("page after page the list is a beginning of what fits, in order, and in the end all of it", () => {
  seeds(60, (random) => {
    const monitor = new Monitor(some(random, 60));
    const [filter, order] = [random.pick(FILTERS), random.pick<Order>(["severity", "newest"])];
    const all = inOrder(
      monitor.alerts.filter((it) => fits(it, filter)),
      order,
    );
    const known = monitor.alerts.filter(() => random.chance(0.3));
    let loaded = NOTHING;
    for (let pages = 0; !loaded.complete; pages += 1) {
      expect(pages).toBeLessThan(100);
      loaded = load(loaded, monitor, filter, order);
      // What else is known of them adds nothing out of its turn.
      const rows = merged(loaded, known, filter, order);
      expect(rows).toEqual(all.slice(0, rows.length));
      expect(rows.length).toBeGreaterThanOrEqual(loaded.alerts.length);
    }
    expect(merged(loaded, [], filter, order)).toEqual(all);
  });
});

test("what happens meanwhile is in its place, each once, and nothing is listed before its turn", () => {
  seeds(60, (random) => {
    const monitor = new Monitor(some(random, 40));
    const [filter, order] = [random.pick(FILTERS), random.pick<Order>(["severity", "newest"])];
    const live: Alert[] = [];
    let loaded = NOTHING;
    for (let n = 0; n < 60 && !loaded.complete; n += 1) {
      if (random.chance(0.5)) loaded = load(loaded, monitor, filter, order);
      const fresh = { ...(some(random, 1)[0] as Alert), alert_id: `${5000 + n}`, ts: ts(100_000 + n) };
      monitor.alerts.push(fresh);
      live.push(fresh);
      const rows = merged(loaded, live, filter, order);
      expect(new Set(rows.map(({ alert_id }) => alert_id)).size).toBe(rows.length);
      expect(rows).toEqual(inOrder(rows, order));
      expect(rows.every((it) => fits(it, filter))).toBe(true);
    }
    while (!loaded.complete) loaded = load(loaded, monitor, filter, order);
    const all = inOrder(
      monitor.alerts.filter((it) => fits(it, filter)),
      order,
    );
    expect(merged(loaded, live, filter, order).map(({ alert_id }) => alert_id)).toEqual(
      all.map(({ alert_id }) => alert_id),
    );
  });
});

test("an alert of which somebody took note leaves the open ones, whoever told last", () => {
  const open = alert("1");
  const noted = { ...open, acked: true, details: { ack_reason: "seen" } };
  const loaded = { ...NOTHING, alerts: [open], complete: true };
  expect(merged(loaded, [noted], { acked: false }, "severity")).toEqual([]);
  expect(merged(loaded, [noted], {}, "severity")).toEqual([noted]);
  expect(merged({ ...loaded, alerts: [noted] }, [open], {}, "severity")).toEqual([noted]);
});

test("a service is meant by its id or its whole name, a time from itself on", () => {
  const it = alert("1", { service_id: "01a2", service_name: "ollama", ts: ts(0) });
  expect([fits(it, { service: "01a2" }), fits(it, { service: "ollama" }), fits(it, { service: "olla" })]).toEqual([
    true,
    true,
    false,
  ]);
  expect([
    fits(it, { since: ts(0) }),
    fits(it, { since: ts(1) }),
    fits(it, { since: new Date(NOW - 1).toISOString() }),
  ]).toEqual([true, false, true]);
});

test("the most frequent type comes first", () => {
  const alerts = ["a", "b", "b", "c"].map((alert_type, n) => alert(`${n}`, { alert_type }));
  expect(byType(alerts).map(([type, alike]) => [type, alike.length])).toEqual([
    ["b", 2],
    ["a", 1],
    ["c", 1],
  ]);
});
