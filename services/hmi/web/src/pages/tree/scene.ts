// What is drawn, and what with.

import type { Look } from "./look";
import type { Layout, Place } from "./sizes";
import type { Marks, Theme } from "./theme";
import type { Size } from "./view";

export interface Scene {
  layout: Layout;
  lookOf: (place: Place) => Look;
  /** What is said of what a closed node hides. */
  hiddenOf: (place: Place) => string | undefined;
  chosen?: string;
  /** Who is found, when somebody is looked for; the others step back. */
  found?: ReadonlySet<string>;
  /** Whom of those one is at. */
  current?: string;
}

export interface Brush {
  context: CanvasRenderingContext2D;
  theme: Theme;
  marks: Marks;
  size: Size;
  /** Pixels of the device to a point. */
  ratio: number;
  /** Widths of texts, by font and text. */
  widths: Map<string, number>;
}

const LEAST_PX = 3;
/** So large that its shape can be told, as long as it has this much of the picture for itself. */
const TOLD = { px: 10, room: 30 };
/** Between whoever is chosen and his ring. */
export const RING = 5;

/** How large a node is seen. */
export const seenSize = (look: Look, zoom: number): number =>
  Math.max(LEAST_PX, Math.min(TOLD.px, TOLD.room * zoom), look.diameter * zoom);
