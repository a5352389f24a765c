// The measures of the picture, and what a drawing is made of. Pure.

import type { TreeNode } from "./forest";

/** From one depth to the next. */
export const COLUMN = 340;
/** The greatest diameter of a node. */
export const GREATEST = 48;
/** The height of a row: agents grow with their context, others don't. */
export const ROW = { agent: GREATEST + 6, other: 30 };
/** A cell of a block, and the height of the band in it for the name. */
export const CELL = { width: 66, height: 68, band: 18 };
/** More leaves than this of one parent are a block. */
export const FEW = 12;
/** Between a frame of cells and these. */
export const PADDING = 8;
/** Blocks and fields are about so much wider than high. */
export const ASPECT = 1.6;

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface Place {
  node: TreeNode;
  /** Its middle. */
  x: number;
  y: number;
  /** All that it may draw in. */
  room: Box;
  /** The frame that it stands in: a line leads there, and not to itself. */
  frame?: Frame;
}

/** Children of one, close together: leaves in cells, or branches, each as a tree of its own. */
export interface Frame {
  owner: TreeNode;
  box: Box;
  of: "leaves" | "branches";
}

export interface Layout {
  places: Place[];
  byKey: Map<string, Place>;
  frames: Frame[];
  box: Box;
}

/** What is drawn of a part of the tree. */
export type Drawing = Pick<Layout, "places" | "frames">;

/** The children of a node that are shown, apart by whether they are drawn in cells. */
export function shown(node: TreeNode, closed: ReadonlySet<string>): { rows: TreeNode[]; cells: TreeNode[] } {
  if (closed.has(node.key)) return { rows: [], cells: [] };
  const leaves = node.children.filter((child) => child.children.length === 0);
  if (leaves.length <= FEW) return { rows: node.children, cells: [] };
  return { rows: node.children.filter((child) => child.children.length > 0), cells: leaves };
}

export function rowHeight(node: TreeNode): number {
  return node.kind === "agent" ? ROW.agent : ROW.other;
}

/** How large the block of so many cells is. */
export function blockSize(cells: number): { across: number; width: number; height: number } {
  const across = Math.max(1, Math.round(Math.sqrt((cells * ASPECT * CELL.height) / CELL.width)));
  return {
    across,
    width: across * CELL.width + 2 * PADDING,
    height: Math.ceil(cells / across) * CELL.height + 2 * PADDING,
  };
}

/** All that a drawing needs. */
export function around({ places, frames }: Drawing): Box {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  const take = (it: Box): void => {
    box.left = Math.min(box.left, it.left);
    box.top = Math.min(box.top, it.top);
    box.right = Math.max(box.right, it.right);
    box.bottom = Math.max(box.bottom, it.bottom);
  };
  for (const { room } of places) take(room);
  for (const frame of frames) take(frame.box);
  return box;
}
