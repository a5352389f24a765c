// Which nodes have so much below them that their branches are put beside each other, in a field, rather than all in one
// column. Pure.

import { type TreeNode, down } from "./forest";
import { ASPECT, type Box, COLUMN, type Drawing, type Frame, around, blockSize, rowHeight, shown } from "./sizes";

export interface Field {
  width: number;
  height: number;
  put: (drawing: Drawing, left: number, top: number) => void;
}

type Draw = (branch: TreeNode, fields: ReadonlyMap<TreeNode, Field>) => Drawing;

interface Size {
  width: number;
  height: number;
}

/** A column is only broken up when it is higher than this, and that much higher than wide. */
const HIGH = 1_600;
const TOO_HIGH = 1.3;
/** Fewer branches than this are a column. */
const LEAST = 4;
const PADDING = 12;
const GAP = 22;

/** The fields of a tree, the innermost first: each is drawn with those within it. Without recursion. */
export function fieldsOf(top: TreeNode, closed: ReadonlySet<string>, draw: Draw): Map<TreeNode, Field> {
  const fields = new Map<TreeNode, Field>();
  const sizes = new Map<TreeNode, Size>();
  for (const node of [...down(top)].reverse()) {
    const { rows, cells } = shown(node, closed);
    const below = rows.map((child) => sizes.get(child) ?? { width: 0, height: 0 });
    const column = stacked(below);
    const block = cells.length === 0 ? { width: 0, height: 0 } : blockSize(cells.length);
    let inside = column;
    const branches = rows.filter((child) => child.children.length > 0 && !closed.has(child.key)).length;
    if (branches >= LEAST && column.height > HIGH && column.height > column.width * TOO_HIGH) {
      const field = fieldOf(
        node,
        rows.map((child) => draw(child, fields)),
      );
      fields.set(node, field);
      inside = field;
    }
    const all = stacked([inside, block]);
    sizes.set(node, { width: COLUMN + all.width, height: Math.max(rowHeight(node), all.height) });
  }
  return fields;
}

function stacked(sizes: Size[]): Size {
  let [width, height] = [0, 0];
  for (const size of sizes) [width, height] = [Math.max(width, size.width), height + size.height];
  return { width, height };
}

/** Puts drawings beside each other in rows, in their order, so that together they are about as high as wide. */
function fieldOf(owner: TreeNode, drawings: Drawing[]): Field {
  const boxes = drawings.map(around);
  const area = boxes.reduce((sum, box) => sum + (wide(box) + GAP) * (high(box) + GAP), 0);
  const limit = Math.max(Math.sqrt(area * ASPECT), ...boxes.map(wide));
  let [x, y, rowHigh, width] = [0, 0, 0, 0];
  const at = boxes.map((box) => {
    if (x > 0 && x + wide(box) > limit) [x, y, rowHigh] = [0, y + rowHigh + GAP, 0];
    const place = { x, y };
    width = Math.max(width, x + wide(box));
    rowHigh = Math.max(rowHigh, high(box));
    x += wide(box) + GAP;
    return place;
  });
  const size = { width: width + 2 * PADDING, height: y + rowHigh + 2 * PADDING };
  const put = (drawing: Drawing, left: number, top: number): void => {
    const box = { left, top, right: left + size.width, bottom: top + size.height };
    const frame: Frame = { owner, of: "branches", box };
    drawing.frames.push(frame);
    drawings.forEach((it, index) => {
      const [from, to] = [boxes[index] as Box, at[index] as { x: number; y: number }];
      move(it, left + PADDING + to.x - from.left, top + PADDING + to.y - from.top);
      // The root of each is joined to the frame, not to its parent.
      const root = it.places[0];
      if (root) root.frame = frame;
      for (const place of it.places) drawing.places.push(place);
      for (const inner of it.frames) drawing.frames.push(inner);
    });
  };
  return { ...size, put };
}

const wide = (box: Box): number => box.right - box.left;
const high = (box: Box): number => box.bottom - box.top;

/** A drawing is put into one place alone, and moves there as it is. */
function move({ places, frames }: Drawing, dx: number, dy: number): void {
  const shift = (box: Box): void => {
    box.left += dx;
    box.right += dx;
    box.top += dy;
    box.bottom += dy;
  };
  for (const place of places) {
    place.x += dx;
    place.y += dy;
    shift(place.room);
  }
  for (const { box } of frames) shift(box);
}
