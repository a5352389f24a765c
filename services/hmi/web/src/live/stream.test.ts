import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Connection, Stream, asSeenFrom } from "./stream";

test("on one machine the event stream goes by the page's own name for it", () => {
  for (const host of ["localhost", "127.0.0.1"]) {
    for (const url of ["localhost", "127.0.0.1", "[::1]"])
      expect(asSeenFrom(host, `http://${url}:6102`)).toBe(`http://${host}:6102`);
  }
});

test("the event stream never goes by an address that a content policy can't name", () => {
  expect(asSeenFrom("[::1]", "http://[::1]:6102")).toBe("http://localhost:6102");
  expect(asSeenFrom("[::1]", "http://127.0.0.1:6102")).toBe("http://127.0.0.1:6102");
});

test("another machine keeps its name", () => {
  expect(asSeenFrom("localhost", "http://swarm.example:6102/")).toBe("http://swarm.example:6102");
  expect(asSeenFrom("swarm.example", "http://127.0.0.1:6102")).toBe("http://127.0.0.1:6102");
  expect(asSeenFrom("swarm.example", "https://events.example")).toBe("https://events.example");
});

/** A connection whose other side is the test. */
class Fake implements Connection {
  connected = false;
  emitted: unknown[] = [];
  private listeners = new Map<string, (...told: never[]) => void>();
  on(event: string, listener: (...told: never[]) => void): void {
    this.listeners.set(event, listener);
  }
  emit(_event: string, what: unknown): void {
    this.emitted.push(what);
  }
  connect(): void {}
  disconnect(): Connection {
    return this;
  }
  hears(event: string, ...told: unknown[]): void {
    if (event === "connect") this.connected = true;
    if (event === "disconnect") this.connected = false;
    (this.listeners.get(event) as ((...told: unknown[]) => void) | undefined)?.(...told);
  }
  /** A frame of events of these places; answers whether it was acknowledged. */
  frame(from: number, to: number): boolean {
    let acked = false;
    const events = Array.from({ length: to - from }, (_, at) => ({ seq: from + at + 1, event_type: "log", ts: "" }));
    this.hears("events", { from: `7:${from}`, to: `7:${to}`, events }, () => (acked = true));
    return acked;
  }
}

describe("what happens is heard once and in order", () => {
  let fake: Fake;
  let heard: number[];
  let states: boolean[];
  let head: number;
  let snapshots: number;

  beforeEach(() => {
    vi.useFakeTimers();
    fake = new Fake();
    [heard, states, head, snapshots] = [[], [], 10, 0];
    vi.stubGlobal("fetch", async () => Response.json({ epoch: 7, head, agents: [] }));
    const listener = {
      snapshot: () => void (snapshots += 1),
      event: (event: { seq: number }) => void heard.push(event.seq),
      state: ({ live }: { live: boolean }) => void states.push(live),
    };
    new Stream("http://127.0.0.1:6102", listener, () => fake);
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const settled = () => vi.advanceTimersByTimeAsync(1);
  const subscribed = (mode = "delta") => fake.hears("subscribed", { epoch: 7, head, oldest: 1, mode });

  test("from the snapshot on, each once", async () => {
    fake.hears("connect");
    await settled();
    expect(fake.emitted).toEqual([{ since: "7:10" }]);
    subscribed();
    expect(fake.frame(10, 12)).toBe(true);
    expect(fake.frame(11, 13)).toBe(true);
    expect([heard, states, snapshots]).toEqual([[11, 12, 13], [true], 1]);
  });

  test("after a short break it goes on where it was", async () => {
    fake.hears("connect");
    await settled();
    subscribed();
    fake.frame(10, 12);
    fake.hears("disconnect", "transport close");
    fake.hears("connect");
    await settled();
    expect(fake.emitted.at(-1)).toEqual({ since: "7:12" });
    expect(fake.frame(12, 14), "what still comes of the old subscription is acknowledged").toBe(true);
    subscribed();
    fake.frame(12, 14);
    expect([heard, snapshots]).toEqual([[11, 12, 13, 14], 1]);
  });

  test("after a long one it begins anew", async () => {
    fake.hears("connect");
    await settled();
    subscribed();
    fake.hears("disconnect", "transport close");
    await vi.advanceTimersByTimeAsync(60_000);
    head = 500;
    fake.hears("connect");
    await settled();
    expect([fake.emitted.at(-1), snapshots]).toEqual([{ since: "7:500" }, 2]);
  });

  test("when what was missed is not kept any more, nothing is heard twice and it says that it isn't live", async () => {
    fake.hears("connect");
    await settled();
    head = 40;
    subscribed("reset");
    expect(states.at(-1)).toBe(false);
    expect(fake.frame(38, 41)).toBe(true);
    await settled();
    subscribed();
    fake.frame(40, 42);
    expect([heard, fake.emitted.at(-1), states.at(-1)]).toEqual([[41, 42], { since: "7:40" }, true]);
  });

  test("who lost the connection while the snapshot came subscribes on the next one alone", async () => {
    fake.hears("connect");
    fake.hears("disconnect", "transport close");
    await settled();
    expect(fake.emitted).toEqual([]);
    fake.hears("connect");
    await settled();
    expect(fake.emitted).toHaveLength(1);
  });
});
