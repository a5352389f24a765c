// Everything that the registry knows of one service, for as long as somebody looks at it.

import { type Accessor, createEffect, createSignal, on, onCleanup } from "solid-js";
import { ApiError, get } from "../../api/client";
import type { ServiceDetail } from "../../api/types";
import { gently, loaded } from "../../live/loaded";
import { everyTick, onEvent } from "../../live/store";

export interface Known {
  data: Accessor<ServiceDetail | undefined>;
  /** When it was told, in milliseconds since 1970. */
  at: Accessor<number | undefined>;
  error: Accessor<string | undefined>;
  /** The registry has never heard of it, or has forgotten it. */
  unknown: Accessor<boolean>;
}

/** Looks at once, in the user's rhythm, and soon after events that are about it. */
export function known(id: Accessor<string | undefined>): Known {
  const [unknown, setUnknown] = createSignal(false);
  createEffect(on(id, () => setUnknown(false)));
  const { data, at, error, look } = loaded(id, async (wanted, signal) => {
    try {
      const answer = await get<ServiceDetail>(`/api/registry/services/${encodeURIComponent(wanted)}`, signal);
      if (!signal.aborted) setUnknown(false);
      return answer;
    } catch (reason) {
      // No id at all is as unknown as one that nobody has.
      if (!signal.aborted)
        setUnknown(reason instanceof ApiError && (reason.status === 404 || reason.status === 400));
      throw reason;
    }
  });
  const soon = gently(look);
  createEffect(on(everyTick, () => document.hidden || unknown() || look(), { defer: true }));
  onCleanup(
    onEvent(
      (event) =>
        event.service_id !== undefined && event.service_id === id() && event.event_type !== "heartbeat" && soon(),
    ),
  );
  return { data, at, error, unknown };
}
