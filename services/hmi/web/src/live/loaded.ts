// Something that is loaded when what it is about changes, and when it is asked for: unlike a source it rests in between, and
// ends with the part of the page that shows it.

import { type Accessor, createEffect, createMemo, createSignal, on, onCleanup, untrack } from "solid-js";
import { serverTime } from "../lib/time";
import type { Source } from "./source";

interface Options {
  /** Whether what was loaded before stays until the next has come, also when that is about something else. */
  keep?: boolean;
}

/** Loads by `key`; nothing while that is undefined. */
export function loaded<K, T>(
  key: Accessor<K | undefined>,
  load: (key: K, signal: AbortSignal) => Promise<T>,
  { keep = false }: Options = {},
): Source<T> & { loading: Accessor<boolean> } {
  const [data, setData] = createSignal<T>();
  const [at, setAt] = createSignal<number>();
  const [error, setError] = createSignal<string>();
  const [loading, setLoading] = createSignal(false);
  const about = createMemo(key);
  let abort = new AbortController();
  let looking = false;
  let again = false;
  const look = async (): Promise<void> => {
    // A look that is asked for while one is under way comes after it: one that takes longer than the rhythm still ends.
    if (looking) {
      again = true;
      return;
    }
    const wanted = untrack(about);
    if (wanted === undefined) return;
    looking = true;
    abort = new AbortController();
    const { signal } = abort;
    setLoading(true);
    try {
      const answer = await load(wanted, signal);
      if (signal.aborted) return;
      setData(() => answer);
      setAt(serverTime());
      setError(undefined);
    } catch (reason) {
      if (signal.aborted) return;
      setError((reason as Error).message);
    }
    setLoading(false);
    looking = false;
    if (again) {
      again = false;
      void look();
    }
  };
  createEffect(
    on(about, () => {
      abort.abort();
      looking = false;
      again = false;
      setLoading(false);
      if (!keep) {
        setData(undefined);
        setAt(undefined);
      }
      setError(undefined);
      void look();
    }),
  );
  onCleanup(() => abort.abort());
  return { data, at, error, loading, look: () => void look() };
}

/** What many events tell of is looked up at most so often. */
const APART_MS = 400;

/** Looks a moment later, once for all that ask until then. */
export function gently(look: () => void): () => void {
  let waiting: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(waiting));
  return () => {
    waiting ??= setTimeout(() => {
      waiting = undefined;
      look();
    }, APART_MS);
  };
}
