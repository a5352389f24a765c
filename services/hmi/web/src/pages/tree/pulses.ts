// Messages on their way: the edge to whoever something was heard of lights up for a moment.

import { edge } from "./paint";
import { type Brush, seenSize } from "./scene";
import type { Layout, Place } from "./sizes";
import type { Look } from "./look";
import type { View } from "./view";

const LASTS_MS = 700;

/** How much of a message it is: a beat less than what somebody says or a call. */
export type Weight = 1 | 2;

export class Pulses {
  private lit = new Map<string, { since: number; weight: Weight }>();

  add(key: string, weight: Weight, now: number): void {
    const before = this.lit.get(key);
    const louder = before && before.weight > weight && now - before.since < LASTS_MS / 2;
    if (!louder) this.lit.set(key, { since: now, weight });
  }

  get any(): boolean {
    return this.lit.size > 0;
  }

  paint(
    { context, theme, size, ratio }: Brush,
    view: View,
    layout: Layout,
    lookOf: (place: Place) => Look,
    now: number,
  ): void {
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    context.strokeStyle = theme.accent;
    for (const [key, { since, weight }] of this.lit) {
      const age = (now - since) / LASTS_MS;
      const place = layout.byKey.get(key);
      if (age >= 1 || !place) {
        this.lit.delete(key);
        continue;
      }
      context.globalAlpha = (1 - age) * (weight === 1 ? 0.6 : 1);
      context.lineWidth = weight === 1 ? 1.5 : 2.5;
      context.beginPath();
      edge(context, view, size, layout, place, { beside: true });
      const [x, y] = [place.x * view.zoom + view.x, place.y * view.zoom + view.y];
      const radius = seenSize(lookOf(place), view.zoom) / 2 + 2 + age * 6;
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.stroke();
    }
    context.globalAlpha = 1;
  }
}
