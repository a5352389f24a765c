// Who is under whom: every agent, model, tool and service once, whatever they say of their parents. Pure.

import type { Service } from "../../api/types";
import { locality } from "../../lib/locality";
import { line } from "../../lib/text";
import type { Agent } from "../../live/swarm";

export type Kind = "swarm" | "group" | "agent" | "model" | "tool" | "service";

/** Somebody who is to have a place. */
export interface Entry {
  key: string;
  name: string;
  kind: "agent" | "model" | "tool" | "service";
  /** The name of its parent. */
  parent?: string;
  /** The group of whoever has no parent. */
  group?: Group;
}

export type Group = "local" | "external" | "PAS";

export interface TreeNode {
  /** The key of an agent, the id of a service, or what a group is called by. */
  key: string;
  /** As it is shown in one line. */
  name: string;
  kind: Kind;
  parent?: TreeNode;
  children: TreeNode[];
  depth: number;
  /** How many are below it. */
  below: number;
  /** A parent that it names and that isn't there, or that would make a circle. */
  orphan?: string;
}

export interface Forest {
  root: TreeNode;
  nodes: Map<string, TreeNode>;
}

export const ROOT = "swarm";
const NAME = 80;
const KINDS: Kind[] = ["agent", "model", "tool", "service", "group", "swarm"];

export function entriesOf(agents: Agent[], services: Service[]): Entry[] {
  const entries: Entry[] = agents.map(({ key, name, service }) => ({
    key,
    name,
    kind: "agent",
    parent: service?.labels.parent ?? undefined,
  }));
  for (const service of services) {
    const { service_id, name, type, labels } = service;
    if (type === "agent") continue;
    if (type === "service") entries.push({ key: service_id, name, kind: type, group: "PAS" });
    else
      entries.push({
        key: service_id,
        name,
        kind: type,
        parent: labels.parent ?? undefined,
        // Of what says nothing of where it is, nobody can say that it is here.
        group: locality(service) ?? "external",
      });
  }
  return entries;
}

/** Gives everyone a place. Children are by kind, then by name, then in the order in which they were registered. */
export function grow(entries: Entry[]): Forest {
  const sorted = [...entries].sort(byKindAndName);
  const parents = parentsOf(sorted);
  cutCircles(sorted, parents);
  const root = make(ROOT, "Swarm", "swarm");
  const nodes = new Map<string, TreeNode>([[ROOT, root]]);
  const placed = sorted.map((entry) => {
    const node = make(entry.key, line(entry.name, NAME), entry.kind);
    nodes.set(entry.key, node);
    return node;
  });
  const groups = new Map<Group, TreeNode>();
  sorted.forEach((entry, place) => {
    const node = placed[place] as TreeNode;
    const parent = parents[place];
    if (entry.parent !== undefined && parent === undefined) node.orphan = line(entry.parent, NAME);
    if (parent !== undefined) adopt(placed[parent] as TreeNode, node);
    else if (entry.group === undefined) adopt(root, node);
    else {
      const group = groups.get(entry.group) ?? make(`group:${entry.group}`, entry.group, "group");
      groups.set(entry.group, group);
      adopt(group, node);
    }
  });
  hang(root, groups, nodes);
  count(root);
  return { root, nodes };
}

/** Those in a node's line up to the root, the nearest first. */
export function above(node: TreeNode): TreeNode[] {
  const line: TreeNode[] = [];
  for (let at = node.parent; at; at = at.parent) line.push(at);
  return line;
}

/** A node and all below it, each before its children. */
export function* down(node: TreeNode): Generator<TreeNode> {
  const open = [node];
  for (let at = open.pop(); at; at = open.pop()) {
    yield at;
    for (let child = at.children.length - 1; child >= 0; child -= 1) open.push(at.children[child] as TreeNode);
  }
}

function make(key: string, name: string, kind: Kind): TreeNode {
  return { key, name, kind, children: [], depth: 0, below: 0 };
}

function adopt(parent: TreeNode, child: TreeNode): void {
  child.parent = parent;
  parent.children.push(child);
}

function hang(root: TreeNode, groups: Map<Group, TreeNode>, nodes: Map<string, TreeNode>): void {
  if (groups.size === 0) return;
  const services = make("group:services", "Services", "group");
  nodes.set(services.key, services);
  adopt(root, services);
  for (const name of ["local", "external", "PAS"] as const) {
    const group = groups.get(name);
    if (!group) continue;
    nodes.set(group.key, group);
    adopt(services, group);
  }
}

function byKindAndName(a: Entry, b: Entry): number {
  return KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || byName(a, b);
}

// Ids begin with the time of the registration, so that of several of one name the first registered comes first.
function byName(a: Entry, b: Entry): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

/** The place of each one's parent: the first of that name, an agent before all others. */
function parentsOf(sorted: Entry[]): (number | undefined)[] {
  const first = new Map<string, number>();
  sorted.forEach(({ name, kind }, place) => {
    if (kind !== "service" && !first.has(name)) first.set(name, place);
  });
  return sorted.map(({ parent }) => (parent === undefined ? undefined : first.get(parent)));
}

/** Takes the parent from one member of each circle: the first by name. */
function cutCircles(sorted: Entry[], parents: (number | undefined)[]): void {
  const walks = new Array<number | undefined>(sorted.length);
  for (let start = 0; start < sorted.length; start += 1) {
    let at: number | undefined = start;
    while (at !== undefined && walks[at] === undefined) {
      walks[at] = start;
      at = parents[at];
    }
    if (at === undefined || walks[at] !== start) continue;
    // Whoever this walk comes by twice is in a circle.
    let first = at;
    for (let next = parents[at]; next !== undefined && next !== at; next = parents[next]) {
      if (byName(sorted[next] as Entry, sorted[first] as Entry) < 0) first = next;
    }
    parents[first] = undefined;
  }
}

/** How deep each is, and how many are below it; without recursion, since agents decide how deep it goes. */
function count(root: TreeNode): void {
  const order = [...down(root)];
  for (const node of order) node.depth = node.parent ? node.parent.depth + 1 : 0;
  for (const node of order.reverse()) if (node.parent) node.parent.below += node.below + 1;
}
