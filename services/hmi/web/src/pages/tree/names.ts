// Names beside nodes, and how these are: only where they fit.

import type { Look } from "./look";
import { type Brush, RING, type Scene, seenSize } from "./scene";
import { CELL, COLUMN, GREATEST, type Place, ROW } from "./sizes";
import type { View } from "./view";

const NAME = "600 12px";
const NOTE = "11px";
const FAINT_TEXT = 0.45;

export function paintNames(
  brush: Brush,
  view: View,
  { lookOf, hiddenOf, found, chosen }: Scene,
  places: Place[],
): void {
  const { context } = brush;
  const { zoom } = view;
  context.lineJoin = "round";
  const cells = CELL.width * zoom >= 46;
  for (const place of places) {
    const look = lookOf(place);
    const faint = found !== undefined && !found.has(place.node.key);
    const ring = place.node.key === chosen ? RING : 0;
    if (place.frame?.of !== "leaves") besideNode(brush, view, place, look, hiddenOf(place), { faint, ring });
    else if (cells) belowNode(brush, view, place, look, faint);
  }
}

interface Beside {
  faint: boolean;
  /** The room that a ring around the node takes. */
  ring: number;
}

/** A name right of its node, above the line that goes on to its children, and how it is below the line. */
function besideNode(
  brush: Brush,
  { x, y, zoom }: View,
  place: Place,
  look: Look,
  hidden: string | undefined,
  { faint, ring }: Beside,
): void {
  const height = (place.node.kind === "agent" ? ROW.agent : ROW.other) * zoom;
  if (height < 13) return;
  const left = place.x * zoom + x + seenSize(look, zoom) / 2 + 5 + ring;
  const width = (place.x + COLUMN - GREATEST / 2) * zoom + x - left - 10;
  if (width < 30) return;
  const middle = place.y * zoom + y;
  const two = height >= 28;
  const { context } = brush;
  context.textAlign = "left";
  context.textBaseline = two ? "bottom" : "middle";
  write(brush, { font: NAME, color: brush.theme.text, faint }, place.node.name, left, two ? middle - 1 : middle, width);
  if (!two) return;
  context.textBaseline = "top";
  const note = hidden === undefined ? look.note : `${hidden} · ${look.note}`;
  write(brush, { font: NOTE, color: brush.theme.muted, faint }, note, left, middle + 2, width);
}

/** A name in the band below its node, and how it is when there is room for two lines. */
function belowNode(brush: Brush, { x, y, zoom }: View, place: Place, look: Look, faint: boolean): void {
  const { context, theme } = brush;
  const middle = place.x * zoom + x;
  const top = (place.room.bottom - CELL.band) * zoom + y;
  const width = (CELL.width - 4) * zoom;
  context.textAlign = "center";
  context.textBaseline = "top";
  write(brush, { font: NOTE, color: theme.text, faint }, place.node.name, middle, top, width);
  if (CELL.band * zoom >= 25)
    write(brush, { font: NOTE, color: theme.muted, faint }, look.note, middle, top + 12, width);
}

interface Ink {
  font: string;
  color: string;
  faint: boolean;
}

function write(brush: Brush, { font, color, faint }: Ink, text: string, x: number, y: number, width: number): void {
  const { context, theme } = brush;
  context.font = `${font} ${theme.font}`;
  const fitting = clipped(brush, font, text, width);
  // No edge is seen through a name, however faint it is.
  context.strokeStyle = theme.panel;
  context.lineWidth = 3;
  context.strokeText(fitting, x, y);
  context.globalAlpha = faint ? FAINT_TEXT : 1;
  context.fillStyle = color;
  context.fillText(fitting, x, y);
  context.globalAlpha = 1;
}

function clipped({ context, widths }: Brush, font: string, text: string, width: number): string {
  const name = `${font} ${text}`;
  let wide = widths.get(name);
  if (wide === undefined) {
    wide = context.measureText(text).width;
    // Texts come and go with what they say; they are measured again rather than kept for ever.
    if (widths.size > 20_000) widths.clear();
    widths.set(name, wide);
  }
  if (wide <= width) return text;
  const letters = [...text];
  const fitting = Math.max(1, Math.floor((letters.length * width) / wide) - 1);
  return `${letters.slice(0, fitting).join("")}…`;
}
