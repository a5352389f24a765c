// Something that is loaded when what it is about changes, and when it is asked for: unlike a source it rests in between, and
// ends with the part of the page that shows it.

import { type Accessor, createEffect, createSignal, on, onCleanup, untrack } from "solid-js";
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
  let abort = new AbortController();
  const look = async (): Promise<void> => {
    abort.abort();
    abort = new AbortController();
    const { signal } = abort;
    const wanted = untrack(key);
    if (wanted === undefined) return;
    setLoading(true);
    try {
      const answer = await load(wanted, signal);
      if (signal.aborted) return;
      setData(() => answer);
      setAt(Date.now());
      setError(undefined);
      setLoading(false);
    } catch (reason) {
      if (signal.aborted) return;
      setError((reason as Error).message);
      setLoading(false);
    }
  };
  createEffect(
    on(key, () => {
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
