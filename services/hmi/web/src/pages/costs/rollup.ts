// What agents spent, each by itself and with all below it. Who is under whom the registry says, by names.

import { type Sums, add, nothing, total } from "./sums";

export interface Node {
  /** null: calls that named no agent. */
  name: string | null;
  own: Sums;
  /** Its own and those of all below it. */
  all: Sums;
  children: Node[];
  /** Whether the registry lists it now: of others it isn't known who they were under. */
  listed: boolean;
}

export interface Placed {
  name: string;
  parent?: string;
}

/**
 * The agents that called, and those above them. Parents in a circle: the circle is cut at its alphabetically first member. A
 * name that several agents have is one node, under the first parent that any of them has.
 */
export function rollup(spent: Map<string | null, Sums>, placed: Placed[]): Node[] {
  const parents = parentsOf(placed);
  const nodes = new Map<string | null, Node>();
  const listed = new Set(placed.map(({ name }) => name));
  const above = (name: string | null): string | undefined => (name === null ? undefined : parents.get(name));
  // Without recursion, as all here: agents decide how deep it goes.
  for (const name of spent.keys()) {
    for (let at: string | null | undefined = name; at !== undefined && !nodes.has(at); at = above(at)) {
      const own = spent.get(at) ?? nothing();
      nodes.set(at, { name: at, own, all: own, children: [], listed: at !== null && listed.has(at) });
    }
  }
  const roots: Node[] = [];
  for (const node of nodes.values()) {
    const parent = above(node.name);
    (parent === undefined ? roots : nodes.get(parent)?.children)?.push(node);
  }
  sum(roots);
  return roots.sort(byName);
}

/** The parent of each name, without circles. Only names that the registry lists are parents. */
function parentsOf(placed: Placed[]): Map<string, string> {
  const names = new Set(placed.map(({ name }) => name));
  const parents = new Map<string, string>();
  for (const { name, parent } of placed) {
    if (parent !== undefined && names.has(parent) && !parents.has(name)) parents.set(name, parent);
  }
  const done = new Set<string>();
  for (const start of parents.keys()) {
    const way = new Set<string>();
    let at: string | undefined = start;
    while (at !== undefined && !done.has(at) && !way.has(at)) {
      way.add(at);
      at = parents.get(at);
    }
    if (at !== undefined && !done.has(at)) {
      const names = [...way];
      const circle = names.slice(names.indexOf(at)).sort();
      parents.delete(circle[0] ?? at);
    }
    for (const name of way) done.add(name);
  }
  return parents;
}

function sum(roots: Node[]): void {
  const order = [...roots];
  // It grows while it is gone through: each is before all below it.
  for (const { children } of order) for (const child of children.sort(byName)) order.push(child);
  for (const node of order.reverse()) {
    if (node.children.length === 0) continue;
    const all = total([node.own]);
    for (const child of node.children) add(all, child.all);
    node.all = all;
  }
}

function byName(a: Node, b: Node): number {
  if (a.name === null || b.name === null) return a.name === b.name ? 0 : a.name === null ? 1 : -1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

export interface Line {
  node: Node;
  depth: number;
  /** What it is known by: its name, which is unlike any other's. */
  key: string;
}

/** The lines of the tree that are seen: those below a node that isn't open are not. */
export function lines(
  roots: Node[],
  isOpen: (key: string, depth: number) => boolean,
  compare: (a: Node, b: Node) => number,
): Line[] {
  const seen: Line[] = [];
  const open: Line[] = [];
  const wait = (nodes: Node[], depth: number): void => {
    for (const node of nodes.toSorted(compare).reverse()) open.push({ node, depth, key: node.name ?? "" });
  };
  wait(roots, 0);
  for (let line = open.pop(); line; line = open.pop()) {
    seen.push(line);
    const { node, depth, key } = line;
    if (node.children.length > 0 && isOpen(key, depth)) wait(node.children, depth + 1);
  }
  return seen;
}
