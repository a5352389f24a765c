// The canvas and what moves on it. It draws when something has changed, and rests otherwise.

import type { Place } from "./sizes";
import { paint } from "./paint";
import { type Brush, type Scene, seenSize } from "./scene";
import { Pulses, type Weight } from "./pulses";
import { Marks, type Theme } from "./theme";
import {
  type Point,
  type Size,
  type View,
  centred,
  fit,
  held,
  hit,
  isSeen,
  moved,
  pointAt,
  resized,
  zoomed,
} from "./view";

/** Whoever is pointed at may be missed by so many points. */
const REACH = 6;
/** Names can be read when it is seen no smaller than this. */
const READABLE = 0.4;
/** Pulses are drawn so often: they fade, which needs no more. */
const PULSE_MS = 33;

export class Stage {
  private base: Brush;
  private over: Brush;
  private view: View = { x: 0, y: 0, zoom: 1 };
  /** Whether a person has moved it: then it is his, and isn't fitted any more. */
  private touched = false;
  private dirty = true;
  private frame = 0;
  private pulses = new Pulses();
  private pulsed = 0;
  private waiting = 0;
  private scene: Scene | undefined;
  private painted: (() => void) | undefined;
  private wanted: string | undefined;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly overlay: HTMLCanvasElement,
    theme: Theme,
  ) {
    const brush = (of: HTMLCanvasElement): Brush => {
      const context = of.getContext("2d");
      if (!context) throw new Error("this browser has no canvas to draw on");
      return { context, theme, marks: new Marks(theme), size: { width: 0, height: 0 }, ratio: 1, widths: new Map() };
    };
    this.base = brush(canvas);
    this.over = brush(overlay);
  }

  /** Calls back once the first picture is on the screen. */
  whenPainted(painted: () => void): void {
    this.painted = painted;
  }

  stop(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.waiting);
  }

  resize(size: Size, ratio: number): void {
    const before = this.base.size;
    for (const [canvas, brush] of [
      [this.canvas, this.base],
      [this.overlay, this.over],
    ] as const) {
      [canvas.width, canvas.height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
      [brush.size, brush.ratio] = [size, ratio];
    }
    if (!this.touched) this.refit();
    else if (this.scene)
      this.view = resized(this.view, before, size, this.scene.layout.byKey.get(this.scene.chosen ?? ""));
    this.settle();
    // A canvas that gets another size is empty: it is drawn in the same frame, so that it doesn't flicker.
    this.dirty = true;
    if (this.scene && size.width > 0) this.draw(performance.now());
  }

  setTheme(theme: Theme): void {
    for (const brush of [this.base, this.over]) [brush.theme, brush.marks] = [theme, new Marks(theme)];
    this.changed();
  }

  /** Others came or went, or were closed or opened. */
  setScene(scene: Scene): void {
    const before = this.scene?.layout;
    this.scene = scene;
    if (before !== scene.layout) {
      if (!this.touched) this.refit();
      else if (before) this.view = held(this.view, before, scene.layout, this.base.size, scene.chosen);
    }
    this.settle();
    this.changed();
  }

  /** Something is to be drawn anew. */
  changed(): void {
    this.dirty = true;
    this.request();
  }

  pulse(key: string, weight: Weight): void {
    this.pulses.add(key, weight, performance.now());
    this.request();
  }

  move(dx: number, dy: number): void {
    this.see(moved(this.view, dx, dy));
  }

  zoom(factor: number, at?: Point): void {
    const { width, height } = this.base.size;
    this.see(zoomed(this.view, at ?? { x: width / 2, y: height / 2 }, factor));
  }

  /** Shows all, and goes on to do so. */
  fit(): void {
    this.touched = false;
    this.refit();
    this.changed();
  }

  /** Shows this one: in the middle, unless it is enough that it is seen. */
  show(key: string, { always = false } = {}): void {
    this.wanted = undefined;
    const place = this.scene?.layout.byKey.get(key);
    const { size } = this.base;
    // It may be asked for before there is a picture.
    if (!place || size.width === 0) this.wanted = key;
    else if (always || !isSeen(this.view, place, size)) this.see(centred(this.view, place, size));
  }

  /** Who is at a point of the canvas. */
  at(point: Point): Place | undefined {
    if (!this.scene) return undefined;
    const { zoom } = this.view;
    const { lookOf } = this.scene;
    return hit(
      this.scene.layout,
      pointAt(this.view, point),
      (place) => seenSize(lookOf(place), zoom) / 2 / zoom,
      REACH / zoom,
    );
  }

  private see(view: View): void {
    this.view = view;
    this.touched = true;
    this.changed();
  }

  private refit(): void {
    if (this.scene && this.base.size.width > 0) this.view = fit(this.scene.layout.box, this.base.size);
  }

  /** Shows whom one wanted to see before there was a picture. */
  private settle(): void {
    if (this.wanted !== undefined) this.show(this.wanted, { always: this.view.zoom < READABLE });
  }

  private request(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame((now) => {
      this.frame = 0;
      this.draw(now);
    });
  }

  private draw(now: number): void {
    if (!this.scene || this.base.size.width === 0) return;
    const moves = this.dirty;
    if (this.dirty) {
      this.dirty = false;
      paint(this.base, this.view, this.scene);
      this.painted?.();
      this.painted = undefined;
    }
    if (!this.pulses.any) return;
    if (moves || now - this.pulsed >= PULSE_MS / 2) {
      this.pulsed = now;
      this.pulses.paint(this.over, this.view, this.scene.layout, this.scene.lookOf, performance.now());
    }
    this.waiting ||= window.setTimeout(() => {
      this.waiting = 0;
      this.request();
    }, PULSE_MS);
  }
}
