// Marks of states: a colour, a shape and a word, so that none of them is needed alone.

import { type Component, type JSX, Show } from "solid-js";
import type { State } from "../live/state";

/** Also for levels of alerts. */
export type Shown = State | "critical" | "warning" | "info";

const SHAPES: Record<Shown, string> = {
  // A full disc with a tick.
  ok: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm-1 10L3.8 7.8l1.3-1.3L7 8.4l4-4 1.3 1.3L7 11Z",
  done: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm-1 10L3.8 7.8l1.3-1.3L7 8.4l4-4 1.3 1.3L7 11Z",
  // A triangle that points on.
  running: "M3 1.5v13L14.5 8 3 1.5Z",
  // An hourglass.
  waiting: "M3 1h10v2.5L9.5 8l3.5 4.5V15H3v-2.5L6.5 8 3 3.5V1Z",
  // A ring.
  queued: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 2.2a4.8 4.8 0 1 1 0 9.6 4.8 4.8 0 0 1 0-9.6Z",
  idle: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 2.2a4.8 4.8 0 1 1 0 9.6 4.8 4.8 0 0 1 0-9.6Z",
  unknown: "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1ZM7 11.5h2v-2H7v2Zm0-3.2h2c0-1 2-1.4 2-3.1C11 3.7 9.7 3 8 3S5 3.8 5 5.4h2c0-.5.3-.8 1-.8s1 .3 1 .7c0 .9-2 1.2-2 3Z",
  // Two bars.
  paused: "M3 1.5h3.6v13H3v-13Zm6.4 0H13v13H9.4v-13Z",
  // A triangle that warns.
  degraded: "M8 1 15.5 14.5H.5L8 1Zm-1 5v4.2h2V6H7Zm0 5.2v2h2v-2H7Z",
  warning: "M8 1 15.5 14.5H.5L8 1Zm-1 5v4.2h2V6H7Zm0 5.2v2h2v-2H7Z",
  // A square that stands still.
  stuck: "M1.5 1.5h13v13h-13v-13Zm3 5.3v2.4h7V6.8h-7Z",
  // A cross in a disc.
  error: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm3.4 9-1.4 1.4-2-2-2 2L4.6 10l2-2-2-2L6 4.6l2 2 2-2L11.4 6l-2 2 2 2Z",
  critical: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM7 4h2v5H7V4Zm0 6h2v2H7v-2Z",
  // A cross alone.
  down: "M3.2 1 8 5.8 12.8 1 15 3.2 10.2 8l4.8 4.8-2.2 2.2L8 10.2 3.2 15 1 12.8 5.8 8 1 3.2 3.2 1Z",
  info: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM7 7h2v5H7V7Zm0-3h2v2H7V4Z",
};

/** The path of a state's shape in a box of 16, for whoever draws it elsewhere. */
export const shapeOf = (state: Shown): string => SHAPES[state];

export const Mark: Component<{ state: Shown; label?: string }> = (props) => (
  <svg class={`mark s-${props.state}`} viewBox="0 0 16 16" role="img" aria-label={props.label ?? props.state}>
    <path d={SHAPES[props.state]} fill="currentColor" />
  </svg>
);

/** A mark with its word. */
export const Tag: Component<{ state: Shown; children?: JSX.Element }> = (props) => (
  <span class={`tag s-${props.state}`}>
    <svg class="mark" viewBox="0 0 16 16" aria-hidden="true">
      <path d={SHAPES[props.state]} fill="currentColor" />
    </svg>
    <Show when={props.children} fallback={props.state}>
      {props.children}
    </Show>
  </span>
);
