// The sheet's colours and the marks of states, for a canvas.

import type { State } from "../../live/state";
import { shapeOf } from "../../parts/state";

export interface Theme {
  panel: string;
  raised: string;
  line: string;
  edge: string;
  text: string;
  muted: string;
  accent: string;
  match: string;
  states: Record<State, string>;
  font: string;
}

const STATES: Record<State, string> = {
  ok: "ok",
  done: "ok",
  running: "running",
  waiting: "waiting",
  queued: "queued",
  idle: "queued",
  unknown: "queued",
  paused: "paused",
  degraded: "degraded",
  stuck: "stuck",
  error: "error",
  down: "error",
};

/** Colours as they are for the scheme in force: a canvas knows no light-dark(). */
export function themeOf(box: HTMLElement): Theme {
  const probe = document.createElement("span");
  box.append(probe);
  const color = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const states = Object.fromEntries(Object.entries(STATES).map(([state, name]) => [state, color(name)])) as Record<
    State,
    string
  >;
  const theme = {
    panel: color("panel"),
    raised: color("raised"),
    line: color("line"),
    edge: color("queued"),
    text: color("text"),
    muted: color("muted"),
    accent: color("accent"),
    match: color("degraded"),
    states,
    font: getComputedStyle(box).fontFamily,
  };
  probe.remove();
  return theme;
}

/** The side of the box in which shapes are described. */
const SHAPE = 16;
/** Larger marks are few, and drawn as they are. */
const KEPT_PX = 64;

/** Marks of states, drawn once for each size and kept: thousands of them are on the screen at once. */
export class Marks {
  private kept = new Map<string, HTMLCanvasElement>();
  private shapes = new Map<State, Path2D>();

  constructor(private readonly theme: Theme) {}

  /** Draws a mark around a point; `ratio` is how many pixels of the device a point of the canvas has. */
  draw(context: CanvasRenderingContext2D, state: State, x: number, y: number, size: number, ratio: number): void {
    const px = Math.round(size * ratio);
    if (px <= KEPT_PX) {
      context.drawImage(this.mark(state, px), x - px / ratio / 2, y - px / ratio / 2, px / ratio, px / ratio);
      return;
    }
    context.save();
    context.translate(x - size / 2, y - size / 2);
    context.scale(size / SHAPE, size / SHAPE);
    this.fill(context, state);
    context.restore();
  }

  private mark(state: State, px: number): HTMLCanvasElement {
    const name = `${state} ${px}`;
    const before = this.kept.get(name);
    if (before) return before;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = px;
    const context = canvas.getContext("2d");
    context?.scale(px / SHAPE, px / SHAPE);
    if (context) this.fill(context, state);
    this.kept.set(name, canvas);
    return canvas;
  }

  private fill(context: CanvasRenderingContext2D, state: State): void {
    let shape = this.shapes.get(state);
    if (!shape) {
      shape = new Path2D(shapeOf(state));
      this.shapes.set(state, shape);
    }
    // Nothing shines through the holes of a shape.
    context.fillStyle = this.theme.panel;
    context.beginPath();
    context.arc(SHAPE / 2, SHAPE / 2, SHAPE / 2 - 1, 0, 2 * Math.PI);
    context.fill();
    context.fillStyle = this.theme.states[state];
    context.fill(shape);
  }
}
