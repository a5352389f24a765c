// Where everyone is drawn: from left to right, each child right of its parent. Many leaves of one parent are a block of
// cells, many branches a field of small trees in a frame, so that thousands are about as high as wide. Pure. It depends
// on who is there alone, not on how they are: what changes by the second moves nobody.

import { type HierarchyPointNode, hierarchy, tree } from "d3-hierarchy";
import type { TreeNode } from "./forest";
import { type Field, fieldsOf } from "./fields";
import {
  CELL,
  COLUMN,
  type Drawing,
  type Frame,
  GREATEST,
  type Layout,
  PADDING,
  around,
  blockSize,
  rowHeight,
  shown,
} from "./sizes";

/** Between rows that have different parents. */
const APART = 10;

/** A part of the hierarchy that is laid out: a node, or a column of a frame. */
interface Part {
  node?: TreeNode;
  height: number;
  inside?: Inside;
  /** Columns of the frame that are still to come. */
  more?: number;
}

/** What stands in a frame. */
interface Inside {
  width: number;
  height: number;
  put: (drawing: Drawing, left: number, top: number) => void;
}

export function layOut(top: TreeNode, closed: ReadonlySet<string>): Layout {
  const fields = fieldsOf(top, closed, (branch, known) => draw(branch, closed, known));
  const { places, frames } = draw(top, closed, fields);
  const byKey = new Map(places.map((place) => [place.node.key, place]));
  return { places, frames, byKey, box: around({ places, frames }) };
}

/** A tree from its root on, which is at 0, 0. */
function draw(root: TreeNode, closed: ReadonlySet<string>, fields: ReadonlyMap<TreeNode, Field>): Drawing {
  const parts = hierarchy<Part>(part(root), (it) => partsBelow(it, closed, fields));
  const arranged = tree<Part>().nodeSize([1, 1]).separation(apart)(parts);
  const drawing: Drawing = { places: [], frames: [] };
  arranged.each((it) => put(drawing, it));
  return drawing;
}

const part = (node: TreeNode): Part => ({ node, height: rowHeight(node) });

function partsBelow(
  { node, inside, more, height }: Part,
  closed: ReadonlySet<string>,
  fields: ReadonlyMap<TreeNode, Field>,
) {
  if (inside && more) return [{ height, inside, more: more - 1 }];
  if (!node) return undefined;
  const { rows, cells } = shown(node, closed);
  const field = fields.get(node);
  const below = field ? [framed(field)] : rows.map(part);
  return cells.length === 0 ? below : [...below, framed(blockOf(node, cells))];
}

/** A frame takes up as many columns as it is wide, each as high as it is, so that nobody is laid out over it. */
function framed(inside: Inside): Part {
  return { height: inside.height + 2 * APART, inside, more: Math.ceil((inside.width + GREATEST) / COLUMN) - 1 };
}

function apart(a: HierarchyPointNode<Part>, b: HierarchyPointNode<Part>): number {
  return (a.data.height + b.data.height) / 2 + (a.parent === b.parent ? 0 : APART);
}

function put(drawing: Drawing, { x: y, depth, parent, data }: HierarchyPointNode<Part>): void {
  const x = depth * COLUMN;
  if (data.node) {
    const [left, half] = [x - GREATEST / 2, data.height / 2];
    drawing.places.push({
      node: data.node,
      x,
      y,
      room: { left, top: y - half, right: left + COLUMN - 4, bottom: y + half },
    });
  } else if (data.inside && parent?.data.inside !== data.inside) {
    data.inside.put(drawing, x - GREATEST / 2, y - data.inside.height / 2);
  }
}

function blockOf(owner: TreeNode, nodes: TreeNode[]): Inside {
  const { across, width, height } = blockSize(nodes.length);
  const put = (drawing: Drawing, left: number, top: number): void => {
    const frame: Frame = { owner, of: "leaves", box: { left, top, right: left + width, bottom: top + height } };
    drawing.frames.push(frame);
    nodes.forEach((node, at) => {
      const x = left + PADDING + (at % across) * CELL.width;
      const y = top + PADDING + Math.floor(at / across) * CELL.height;
      const room = { left: x, top: y, right: x + CELL.width, bottom: y + CELL.height };
      drawing.places.push({ node, x: x + CELL.width / 2, y: y + (CELL.height - CELL.band) / 2, room, frame });
    });
  };
  return { width, height, put };
}
