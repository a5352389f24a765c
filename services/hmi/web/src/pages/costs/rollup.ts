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
  const node = (name: string | null): Node => {
    const known = nodes.get(name);
    if (known) return known;
    const own = spent.get(name) ?? nothing();
    const made: Node = { name, own, all: own, children: [], listed: name !== null && listed.has(name) };
    nodes.set(name, made);
    return made;
  };
  const roots: Node[] = [];
  const place = (name: string | null): void => {
    const isNew = !nodes.has(name);
    const it = node(name);
    if (!isNew) return;
    const parent = name === null ? undefined : parents.get(name);
    if (parent === undefined) {
      roots.push(it);
      return;
    }
    place(parent);
    node(parent).children.push(it);
  };
  for (const name of spent.keys()) place(name);
  for (const root of roots) sum(root);
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
    const way: string[] = [];
    let at: string | undefined = start;
    while (at !== undefined && !done.has(at) && !way.includes(at)) {
      way.push(at);
      at = parents.get(at);
    }
    if (at !== undefined && !done.has(at)) {
      const circle = way.slice(way.indexOf(at)).sort();
      parents.delete(circle[0] ?? at);
    }
    for (const name of way) done.add(name);
  }
  return parents;
}

function sum(node: Node): void {
  for (const child of node.children) sum(child);
  if (node.children.length === 0) return;
  node.children.sort(byName);
  const all = total([node.own]);
  for (const child of node.children) add(all, child.all);
  node.all = all;
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
  const walk = (nodes: Node[], depth: number): void => {
    for (const node of [...nodes].sort(compare)) {
      const key = node.name ?? "";
      seen.push({ node, depth, key });
      if (node.children.length > 0 && isOpen(key, depth)) walk(node.children, depth + 1);
    }
  };
  walk(roots, 0);
  return seen;
}
