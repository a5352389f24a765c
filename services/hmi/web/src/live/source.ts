// Something that is looked at again and again, and how old it is.

import { type Accessor, createSignal } from "solid-js";
import { serverTime } from "../lib/time";

export interface Source<T> {
  /** The latest answer. */
  data: Accessor<T | undefined>;
  /** When it came, in milliseconds since 1970. */
  at: Accessor<number | undefined>;
  /** Why the latest look brought nothing. */
  error: Accessor<string | undefined>;
  /** So often it is looked at; what is shown may be so old. */
  every_ms?: () => number;
  /** Looks now. */
  look(): void;
}

export interface Rhythm {
  every_ms: () => number;
  /** Whether anybody wants to know at all. */
  wanted?: () => boolean;
}

const sources = new Set<{ look(): void; due(now: number): boolean }>();
const TICK_MS = 250;

/** Looks in this rhythm for as long as the page lives; `take` hears each answer, `failed` of each look that brought none. */
export function poll<T>(load: () => Promise<T>, rhythm: Rhythm, take?: (data: T) => void, failed?: () => void): Source<T> {
  const [data, setData] = createSignal<T>();
  const [at, setAt] = createSignal<number>();
  const [error, setError] = createSignal<string>();
  let next = 0;
  let again = false;
  let looking = false;
  const look = async (): Promise<void> => {
    // A look that is asked for while one is under way comes after it: the answer on its way may be older than the question.
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    try {
      const answer = await load();
      take?.(answer);
      setData(() => answer);
      setAt(serverTime());
      setError(undefined);
    } catch (reason) {
      setError((reason as Error).message);
      failed?.();
    }
    looking = false;
    next = performance.now() + rhythm.every_ms();
    if (again) {
      again = false;
      void look();
    }
  };
  const source = {
    look: () => void look(),
    due: (now: number) => !looking && now >= next && (rhythm.wanted?.() ?? true),
  };
  sources.add(source);
  return { data, at, error, every_ms: rhythm.every_ms, look: source.look };
}

let lastTick = 0;

/** Begins to look; `woke` hears of it when the page was asleep. */
export function startLooking(woke: () => void): void {
  const tick = (): void => {
    const now = performance.now();
    if (lastTick !== 0 && now - lastTick > 5_000) wake(woke);
    lastTick = now;
    if (document.hidden) return;
    for (const source of sources) if (source.due(now)) source.look();
  };
  setInterval(tick, TICK_MS);
  document.addEventListener("visibilitychange", () => document.hidden || wake(woke));
  document.addEventListener("resume", () => wake(woke));
  tick();
}

function wake(woke: () => void): void {
  lastTick = performance.now();
  woke();
  for (const source of sources) if (source.due(Number.POSITIVE_INFINITY)) source.look();
}
