// The events of the swarm, in order and without a gap, over Socket.IO: a snapshot at a place, and what came after it.

import { io } from "socket.io-client";
import { get } from "../api/client";
import type { EventSnapshot, Frame, Subscribed, SwarmEvent } from "../api/types";

export interface Listener {
  /** The latest of each agent: a new beginning. */
  snapshot(snapshot: EventSnapshot): void;
  /** What happened next. */
  event(event: SwarmEvent): void;
  /** Whether what happens is heard, and why not. */
  state(state: LinkState): void;
}

export interface LinkState {
  live: boolean;
  /** Why it isn't. */
  reason?: string;
}

/** Whoever was away for longer begins anew, rather than to hear everything that he missed. */
const CATCH_UP_MS = 10_000;
/** The first pause before a snapshot is tried again, and the longest. */
const PAUSE_MS = 250;
const PAUSE_MAX_MS = 3_000;

/** What of a Socket.IO client is used. */
export interface Connection {
  readonly connected: boolean;
  on(event: string, listener: (...told: never[]) => void): unknown;
  emit(event: string, what: unknown): unknown;
  connect(): unknown;
  disconnect(): Connection;
}

const connected = (url: string): Connection =>
  io(url, { transports: ["websocket", "polling"], reconnectionDelay: 200, reconnectionDelayMax: 2_000, timeout: 5_000 });

export class Stream {
  private socket: Connection;
  private cursor: string | undefined;
  private heard = 0;
  private stopped = false;
  /** A beginning that is under way; a later one takes its place. */
  private beginning = 0;
  /** Whether frames follow on what is known. Those of an older subscription, and those before a new one, come again or don't matter. */
  private following = false;

  constructor(
    events_url: string,
    private readonly listener: Listener,
    connect: (url: string) => Connection = connected,
  ) {
    this.socket = connect(events_url);
    this.socket.on("connect", () => void this.connected());
    this.socket.on("subscribed", (subscribed: Subscribed) => this.subscribed(subscribed));
    this.socket.on("events", (frame: Frame, ack: () => void) => this.take(frame, ack));
    this.socket.on("refused", ({ error }: { error: { message: string } }) => this.lost(error.message));
    this.socket.on("connect_error", () => this.lost("the event stream can't be reached"));
    this.socket.on("disconnect", (why: string) => {
      this.lost("the connection to the event stream broke");
      // Who is sent away by the server comes back only by itself.
      if (why === "io server disconnect") this.socket.connect();
    });
  }

  /** Whoever slept may hold a connection that is dead, and not know it. */
  woke(): void {
    if (performance.now() - this.heard > CATCH_UP_MS) this.socket.disconnect().connect();
  }

  stop(): void {
    this.stopped = true;
    this.socket.disconnect();
  }

  private async connected(): Promise<void> {
    this.following = false;
    this.beginning += 1;
    const mine = this.beginning;
    const fresh = this.cursor === undefined || performance.now() - this.heard > CATCH_UP_MS;
    if (fresh && !(await this.begin(mine))) return;
    // What is said while there is no connection would be said late, to the next one.
    if (mine === this.beginning && this.socket.connected) this.socket.emit("subscribe", { since: this.cursor });
  }

  /** Takes a snapshot, and goes on from where it is true; false when a later beginning took over. */
  private async begin(mine: number): Promise<boolean> {
    for (let pause = PAUSE_MS; ; pause = Math.min(pause * 2, PAUSE_MAX_MS)) {
      try {
        const snapshot = await get<EventSnapshot>("/api/events/snapshot");
        if (mine !== this.beginning || this.stopped) return false;
        this.cursor = `${snapshot.epoch}:${snapshot.head}`;
        this.listener.snapshot(snapshot);
        return true;
      } catch (error) {
        this.lost((error as Error).message);
      }
      await new Promise((done) => setTimeout(done, pause));
      if (mine !== this.beginning || this.stopped) return false;
    }
  }

  private subscribed({ mode }: Subscribed): void {
    if (mode === "reset") {
      // What came after the place isn't kept any more.
      this.cursor = undefined;
      this.lost("what happened meanwhile is not kept any more; it begins anew");
      void this.connected();
      return;
    }
    this.heard = performance.now();
    this.following = true;
    this.listener.state({ live: true });
  }

  private take(frame: Frame, ack: () => void): void {
    this.heard = performance.now();
    if (this.following) {
      const known = seq(this.cursor);
      for (const event of frame.events) if (event.seq > known) this.listener.event(event);
      this.cursor = frame.to;
    }
    ack();
  }

  private lost(reason: string): void {
    this.listener.state({ live: false, reason });
  }
}

function seq(cursor: string | undefined): number {
  return cursor === undefined ? 0 : Number(cursor.slice(cursor.indexOf(":") + 1));
}

/**
 * The event stream as this page reaches it: under the name of the page's own host where both are this machine, so that a tunnel
 * of both ports suffices. A content policy has no way to write an IPv6 address.
 */
export function asSeenFrom(host: string, events_url: string): string {
  const url = new URL(events_url);
  const names = ["localhost", "127.0.0.1"];
  if (![...names, "[::1]"].includes(url.hostname)) return url.origin;
  if (names.includes(host)) url.hostname = host;
  else if (url.hostname === "[::1]") url.hostname = "localhost";
  return url.origin;
}
