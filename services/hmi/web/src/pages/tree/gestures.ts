// Fingers and mice on the canvas: one drags, two move and pinch, a wheel zooms.

import { type Point, turned } from "./view";

export interface Hand {
  move(dx: number, dy: number): void;
  zoom(factor: number, at: Point): void;
  /** A short touch that moved nothing. */
  tap(at: Point): void;
  twice(at: Point): void;
  /** Pointed at; nothing when the pointer leaves. */
  over(at: Point | undefined): void;
}

/** Whoever moves less than this has not dragged. */
const STILL_PX = 4;

/** Listens until the answer is called. */
export function listen(canvas: HTMLCanvasElement, hand: Hand): () => void {
  const fingers = new Map<number, Point>();
  let travelled = 0;
  const at = (event: MouseEvent): Point => {
    const { left, top } = canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const pressed = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    if (fingers.size === 0) travelled = 0;
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, at(event));
  };
  const dragged = (event: PointerEvent): void => {
    const before = fingers.get(event.pointerId);
    const now = at(event);
    if (!before) {
      if (event.pointerType === "mouse") hand.over(now);
      return;
    }
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    const [dx, dy] = [now.x - before.x, now.y - before.y];
    travelled += Math.abs(dx) + Math.abs(dy);
    if (travelled < STILL_PX) return;
    fingers.set(event.pointerId, now);
    if (!other) hand.move(dx, dy);
    else pinched(before, now, other);
  };
  const pinched = (before: Point, now: Point, other: Point): void => {
    hand.move((now.x - before.x) / 2, (now.y - before.y) / 2);
    const apart = Math.hypot(before.x - other.x, before.y - other.y);
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    if (apart > 0) hand.zoom(Math.hypot(now.x - other.x, now.y - other.y) / apart, middle);
  };
  const lifted = (event: PointerEvent): void => {
    if (fingers.delete(event.pointerId) && fingers.size === 0 && travelled < STILL_PX && event.type === "pointerup")
      hand.tap(at(event));
  };
  const wheel = (event: WheelEvent): void => {
    event.preventDefault();
    const { deltaMode, deltaX, deltaY, ctrlKey, shiftKey } = event;
    const { wheelDeltaY } = event as WheelEvent & { wheelDeltaY?: number };
    const what = turned({ deltaMode, deltaX, deltaY, ctrlKey, shiftKey, wheelDeltaY });
    if ("factor" in what) hand.zoom(what.factor, at(event));
    else hand.move(what.dx, what.dy);
  };
  const ended = new AbortController();
  const { signal } = ended;
  canvas.addEventListener("pointerdown", pressed, { signal });
  canvas.addEventListener("pointermove", dragged, { signal });
  canvas.addEventListener("pointerup", lifted, { signal });
  canvas.addEventListener("pointercancel", lifted, { signal });
  canvas.addEventListener("pointerleave", () => hand.over(undefined), { signal });
  canvas.addEventListener("dblclick", (event) => hand.twice(at(event)), { signal });
  canvas.addEventListener("wheel", wheel, { signal, passive: false });
  return () => ended.abort();
}
