// Who has been heard to do something, from when it was asked for on.

import { type Accessor, createSignal } from "solid-js";
import type { SwarmEvent } from "../api/types";

/** What is heard is drawn together, at most so often. */
const DRAW_MS = 60;

export interface Hearing {
  /** The ids of those that have been heard. */
  heard: Accessor<ReadonlySet<string>>;
  stop: () => void;
}

/** Hears whom events of a type name, until it is stopped. */
export function hearing(type: string, onEvent: (listening: (event: SwarmEvent) => void) => () => void): Hearing {
  const ids = new Set<string>();
  const [heard, setHeard] = createSignal<ReadonlySet<string>>(ids, { equals: false });
  let drawing: ReturnType<typeof setTimeout> | undefined;
  const leave = onEvent((event) => {
    if (event.event_type !== type || event.service_id === undefined) return;
    ids.add(event.service_id);
    drawing ??= setTimeout(() => {
      drawing = undefined;
      setHeard(ids);
    }, DRAW_MS);
  });
  const stop = (): void => {
    leave();
    clearTimeout(drawing);
  };
  return { heard, stop };
}
