// The picture itself: edges, blocks, marks, names. It draws only what is seen, and names only where they fit.

import type { State } from "../../live/state";
import { paintNames } from "./names";
import { type Brush, RING, type Scene, seenSize } from "./scene";
import { type Box, COLUMN, type Frame, type Layout, type Place } from "./sizes";
import type { Size, View } from "./view";

/** A smaller mark is a dot: its shape could not be told. */
const SHAPE_PX = 6;
const FAINT = 0.25;

export function paint(brush: Brush, view: View, scene: Scene): void {
  const { context, size, ratio } = brush;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, size.width, size.height);
  const places = scene.layout.places.filter(({ room }) => seen(room, view, size));
  paintFrames(brush, view, scene.layout.frames);
  paintEdges(brush, view, scene.layout);
  paintMarks(brush, view, scene, places);
  paintNames(brush, view, scene, places);
  paintRings(brush, view, scene, places);
}

function seen(box: Box, { x, y, zoom }: View, { width, height }: Size): boolean {
  return (
    box.right * zoom + x >= 0 &&
    box.left * zoom + x <= width &&
    box.bottom * zoom + y >= 0 &&
    box.top * zoom + y <= height
  );
}

function paintFrames({ context, theme, size }: Brush, view: View, frames: Frame[]): void {
  context.strokeStyle = theme.line;
  context.lineWidth = 1;
  for (const { box, of } of frames) {
    if (!seen(box, view, size)) continue;
    context.beginPath();
    const [left, top] = [box.left * view.zoom + view.x, box.top * view.zoom + view.y];
    context.roundRect(
      left,
      top,
      (box.right - box.left) * view.zoom,
      (box.bottom - box.top) * view.zoom,
      Math.min(8, 12 * view.zoom),
    );
    context.fillStyle = of === "leaves" ? theme.raised : theme.panel;
    context.fill();
    context.stroke();
  }
}

function paintEdges({ context, theme, size }: Brush, view: View, layout: Layout): void {
  context.beginPath();
  for (const place of layout.places) if (!place.frame) edge(context, view, size, layout, place);
  for (const frame of layout.frames) edge(context, view, size, layout, frame);
  context.strokeStyle = theme.edge;
  context.globalAlpha = 0.45;
  context.lineWidth = Math.max(0.5, Math.min(1.25, view.zoom * 1.5));
  context.stroke();
  context.globalAlpha = 1;
}

/**
 * The line that leads to somebody from his parent, or to the frame that he stands in, if any of it is seen; `beside` names, only the
 * part of it that no name stands on.
 */
export function edge(
  context: CanvasRenderingContext2D,
  { x, y, zoom }: View,
  size: Size,
  { byKey }: Layout,
  to: Place | Frame,
  { beside = false } = {},
): void {
  const frame = "box" in to ? to : to.frame;
  const from = byKey.get((frame ? frame.owner : (to as Place).node.parent)?.key ?? "");
  if (!from) return;
  const end = frame ? { x: frame.box.left, y: (frame.box.top + frame.box.bottom) / 2 } : (to as Place);
  const [x0, y0, x1, y1] = [from.x * zoom + x, from.y * zoom + y, end.x * zoom + x, end.y * zoom + y];
  if (x1 < 0 || x0 > size.width || Math.max(y0, y1) < 0 || Math.min(y0, y1) > size.height) return;
  // It bends just before the child, so that the name beside the parent has its line for itself.
  const bend = Math.max(x0, x1 - (COLUMN / 3) * zoom);
  const middle = (bend + x1) / 2;
  context.moveTo(beside ? bend : x0, y0);
  context.lineTo(bend, y0);
  context.bezierCurveTo(middle, y0, middle, y1, x1, y1);
}

function paintMarks(
  { context, theme, marks, ratio }: Brush,
  view: View,
  { lookOf, found }: Scene,
  places: Place[],
): void {
  const dots = new Map<State, [number, number, number][]>();
  for (const place of places) {
    const look = lookOf(place);
    const size = seenSize(look, view.zoom);
    const [x, y] = [place.x * view.zoom + view.x, place.y * view.zoom + view.y];
    const faint = found !== undefined && !found.has(place.node.key);
    if (size < SHAPE_PX && !faint) {
      const those = dots.get(look.state);
      if (those) those.push([x, y, size]);
      else dots.set(look.state, [[x, y, size]]);
      continue;
    }
    context.globalAlpha = faint ? FAINT : 1;
    marks.draw(context, look.state, x, y, size, ratio);
  }
  context.globalAlpha = 1;
  for (const [state, those] of dots) {
    context.fillStyle = theme.states[state];
    for (const [x, y, size] of those) context.fillRect(x - size / 2, y - size / 2, size, size);
  }
}

/** Who is found, whom one is at, who is chosen. */
function paintRings(
  { context, theme }: Brush,
  view: View,
  { lookOf, found, current, chosen }: Scene,
  places: Place[],
): void {
  const ring = (place: Place, color: string, apart: number, width: number): void => {
    const radius = seenSize(lookOf(place), view.zoom) / 2 + apart;
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    context.arc(place.x * view.zoom + view.x, place.y * view.zoom + view.y, radius, 0, 2 * Math.PI);
    context.stroke();
  };
  for (const place of places) {
    const { key } = place.node;
    if (found?.has(key)) ring(place, theme.match, 2, key === current ? 3 : 1.5);
    if (key === chosen) ring(place, theme.accent, RING, 2.5);
  }
}
