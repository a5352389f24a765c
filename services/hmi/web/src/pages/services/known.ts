// Everything that the registry knows of one service, for as long as somebody looks at it.

import { type Accessor, createEffect, createSignal, on, onCleanup } from "solid-js";
import { ApiError, get } from "../../api/client";
import type { ServiceDetail } from "../../api/types";
import { everyTick, onEvent } from "../../live/store";

export interface Known {
  data: Accessor<ServiceDetail | undefined>;
  /** When it was told, in milliseconds since 1970. */
  at: Accessor<number | undefined>;
  error: Accessor<string | undefined>;
  /** The registry has never heard of it, or has forgotten it. */
  unknown: Accessor<boolean>;
}

/** Looks at once, in the user's rhythm, and whenever an event is about it. */
export function known(id: Accessor<string | undefined>): Known {
  const [data, setData] = createSignal<ServiceDetail>();
  const [at, setAt] = createSignal<number>();
  const [error, setError] = createSignal<string>();
  const [unknown, setUnknown] = createSignal(false);
  let looking: AbortController | undefined;

  const look = async (wanted: string): Promise<void> => {
    const mine = new AbortController();
    looking = mine;
    try {
      const answer = await get<ServiceDetail>(`/api/registry/services/${encodeURIComponent(wanted)}`, mine.signal);
      if (looking !== mine) return;
      setData(answer);
      setAt(Date.now());
      setError(undefined);
    } catch (reason) {
      if (looking !== mine) return;
      // No id at all is as unknown as one that nobody has.
      setUnknown(reason instanceof ApiError && (reason.status === 404 || reason.status === 400));
      setError((reason as Error).message);
    }
    looking = undefined;
  };
  const again = (): void => {
    const wanted = id();
    if (wanted === undefined) return;
    looking?.abort();
    void look(wanted);
  };

  createEffect(
    on(id, () => {
      setData(undefined);
      setAt(undefined);
      setError(undefined);
      setUnknown(false);
      again();
    }),
  );
  createEffect(on(everyTick, () => looking || document.hidden || unknown() || again(), { defer: true }));
  onCleanup(
    onEvent(
      (event) =>
        event.service_id !== undefined && event.service_id === id() && event.event_type !== "heartbeat" && again(),
    ),
  );
  onCleanup(() => looking?.abort());
  return { data, at, error, unknown };
}
