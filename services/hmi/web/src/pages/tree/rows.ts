// The tree as a list of rows, and how keys move in it. Pure.

import type { TreeNode } from "./forest";

export interface Row {
  node: TreeNode;
  /** From 1 on. */
  level: number;
  /** Whether its children are shown; undefined when it has none. */
  open?: boolean;
  /** Its place among its siblings, from 1 on, and how many those are. */
  place: number;
  of: number;
}

/** What is shown of `top` and below, when those in `closed` don't show their children. */
export function rowsOf(top: TreeNode, closed: ReadonlySet<string>): Row[] {
  const rows: Row[] = [];
  const left: Row[] = [row(top, 1, 1, 1, closed)];
  for (let at = left.pop(); at; at = left.pop()) {
    rows.push(at);
    if (!at.open) continue;
    const { children } = at.node;
    for (let child = children.length - 1; child >= 0; child -= 1) {
      left.push(row(children[child] as TreeNode, at.level + 1, child + 1, children.length, closed));
    }
  }
  return rows;
}

function row(node: TreeNode, level: number, place: number, of: number, closed: ReadonlySet<string>): Row {
  const open = node.children.length === 0 ? undefined : !closed.has(node.key);
  return { node, level, open, place, of };
}

/** What a key does on the row at `at`: goes to another, or opens or closes it. */
export type Move = { to: number } | { toggle: string } | undefined;

export function move(rows: Row[], at: number, key: string, page = 10): Move {
  const here = rows[at];
  if (!here) return rows.length > 0 ? { to: 0 } : undefined;
  const within = (to: number): Move => ({ to: Math.max(0, Math.min(rows.length - 1, to)) });
  switch (key) {
    case "ArrowDown":
      return within(at + 1);
    case "ArrowUp":
      return within(at - 1);
    case "PageDown":
      return within(at + page);
    case "PageUp":
      return within(at - page);
    case "Home":
      return within(0);
    case "End":
      return within(rows.length - 1);
    case "ArrowRight":
      if (here.open === undefined) return undefined;
      return here.open ? within(at + 1) : { toggle: here.node.key };
    case "ArrowLeft":
      return here.open ? { toggle: here.node.key } : parentRow(rows, at);
    default:
      return undefined;
  }
}

function parentRow(rows: Row[], at: number): Move {
  const level = rows[at]?.level ?? 1;
  for (let above = at - 1; above >= 0; above -= 1) if ((rows[above]?.level ?? 0) < level) return { to: above };
  return undefined;
}

/** The row that begins with what was typed: from the next on for one letter, from this one on for more; in a ring. */
export function typed(rows: Row[], at: number, letters: string): number | undefined {
  const wanted = letters.toLowerCase();
  // The same letter again and again goes from one to the next.
  const same = [...wanted].every((letter) => letter === wanted[0]);
  const start = same ? at + 1 : at;
  const prefix = same ? (wanted[0] ?? "") : wanted;
  for (let step = 0; step < rows.length; step += 1) {
    const place = (start + step) % rows.length;
    if (rows[place]?.node.name.toLowerCase().startsWith(prefix)) return place;
  }
  return undefined;
}
