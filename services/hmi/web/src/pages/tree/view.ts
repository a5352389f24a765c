// Which part of the picture is seen, and how large. Pure.

import type { Box, Layout, Place } from "./sizes";

/** A point of the picture is seen at its place times `zoom`, plus `x` and `y`. */
export interface View {
  x: number;
  y: number;
  zoom: number;
}

export interface Size {
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

const LEAST = 0.005;
const MOST = 4;
/** A small picture isn't blown up beyond this to fill its room. */
const FIT_MOST = 1.1;
const MARGIN = 16;

const within = (zoom: number): number => Math.min(MOST, Math.max(LEAST, zoom));

/** All of it, in the middle. */
export function fit(box: Box, size: Size): View {
  const [wide, high] = [Math.max(box.right - box.left, 1), Math.max(box.bottom - box.top, 1)];
  const room = Math.min((size.width - 2 * MARGIN) / wide, (size.height - 2 * MARGIN) / high);
  const zoom = within(Math.min(FIT_MOST, room));
  return {
    zoom,
    x: size.width / 2 - ((box.left + box.right) / 2) * zoom,
    y: size.height / 2 - ((box.top + box.bottom) / 2) * zoom,
  };
}

/** Nearer or farther, with what is under `at` staying there. */
export function zoomed(view: View, at: Point, factor: number): View {
  const zoom = within(view.zoom * factor);
  const ratio = zoom / view.zoom;
  return { zoom, x: at.x - (at.x - view.x) * ratio, y: at.y - (at.y - view.y) * ratio };
}

export const moved = (view: View, dx: number, dy: number): View => ({ ...view, x: view.x + dx, y: view.y + dy });

/** With this point in the middle, and not so small that it can't be read. */
export function centred(view: View, { x, y }: Point, size: Size, least = 1.2): View {
  const zoom = Math.max(view.zoom, least);
  return { zoom, x: size.width / 2 - x * zoom, y: size.height / 2 - y * zoom };
}

export const seenAt = (view: View, { x, y }: Point): Point => ({
  x: x * view.zoom + view.x,
  y: y * view.zoom + view.y,
});

export const pointAt = (view: View, { x, y }: Point): Point => ({
  x: (x - view.x) / view.zoom,
  y: (y - view.y) / view.zoom,
});

export function isSeen(view: View, place: Point, { width, height }: Size): boolean {
  const { x, y } = seenAt(view, place);
  return x >= 0 && y >= 0 && x <= width && y <= height;
}

/** In another room: the middle stays the middle, and whoever is chosen and was seen is seen. */
export function resized(view: View, before: Size, size: Size, chosen: Point | undefined): View {
  const next = moved(view, (size.width - before.width) / 2, (size.height - before.height) / 2);
  const lost = chosen !== undefined && isSeen(view, chosen, before) && !isSeen(next, chosen, size);
  return lost ? centred(next, chosen, size, next.zoom) : next;
}

/** After others came or went: whoever was looked at stays where he is seen. */
export function held(view: View, before: Layout, after: Layout, size: Size, preferred?: string): View {
  const anchor = anchorOf(view, before, after, size, preferred);
  const now = anchor && after.byKey.get(anchor.node.key);
  if (!anchor || !now) return view;
  return moved(view, (anchor.x - now.x) * view.zoom, (anchor.y - now.y) * view.zoom);
}

/** The chosen one if he is seen, else whoever is nearest to the middle. */
function anchorOf(view: View, before: Layout, after: Layout, size: Size, preferred?: string): Place | undefined {
  const chosen = preferred === undefined ? undefined : before.byKey.get(preferred);
  if (chosen && isSeen(view, chosen, size)) return chosen;
  const middle = pointAt(view, { x: size.width / 2, y: size.height / 2 });
  let nearest: Place | undefined;
  let least = Infinity;
  for (const place of before.places) {
    const distance = (place.x - middle.x) ** 2 + (place.y - middle.y) ** 2;
    if (distance < least && after.byKey.has(place.node.key)) [nearest, least] = [place, distance];
  }
  return nearest;
}

/** Whoever is drawn at a point of the picture, or nearest to it within `reach`. */
export function hit(layout: Layout, at: Point, radius: (place: Place) => number, reach: number): Place | undefined {
  let found: Place | undefined;
  let least = Infinity;
  for (const place of layout.places) {
    const distance = Math.hypot(place.x - at.x, place.y - at.y) - radius(place);
    if (distance <= reach && distance < least) [found, least] = [place, distance];
  }
  return found;
}

export interface Wheel {
  deltaX: number;
  deltaY: number;
  deltaMode: number;
  ctrlKey: boolean;
  shiftKey: boolean;
  /** What some browsers say besides; a wheel turns in steps of 120. */
  wheelDeltaY?: number;
}

/** What a turn of a wheel means: a wheel zooms, two fingers on a pad move, a pinch (which comes with Ctrl) zooms. */
export function turned({
  deltaX,
  deltaY,
  deltaMode,
  ctrlKey,
  shiftKey,
  wheelDeltaY,
}: Wheel): { factor: number } | { dx: number; dy: number } {
  const pixels = deltaMode === 0 ? 1 : 33;
  const [x, y] = [deltaX * pixels, deltaY * pixels];
  const steps = deltaMode !== 0 || (wheelDeltaY !== undefined && wheelDeltaY !== 0 && wheelDeltaY % 120 === 0);
  if (ctrlKey) return { factor: Math.exp(-Math.max(-80, Math.min(80, y)) * 0.01) };
  if (shiftKey) return { dx: -(x === 0 ? y : x), dy: 0 };
  if (deltaX === 0 && steps) return { factor: Math.exp(-Math.max(-300, Math.min(300, y)) * 0.0016) };
  return { dx: -x, dy: -y };
}
