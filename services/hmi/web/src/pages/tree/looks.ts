// How everyone looks, kept up as they change: only what has changed is looked at anew. Pure.

import type { Service } from "../../api/types";
import { count } from "../../lib/format";
import type { Agent } from "../../live/swarm";
import type { Forest, TreeNode } from "./forest";
import { type Look, isBad, lookOfAgent, lookOfService, same } from "./look";

interface Known {
  look: Look;
  /** What it was taken from, which is another object when anything of it has changed. */
  from: Agent | Service;
  /** When: what an agent is depends on the time too. */
  now: number;
}

const UNKNOWN: Look = { state: "unknown", diameter: 18, note: "unknown" };
const GROUP = 16;

export class Looks {
  private known = new Map<string, Known>();
  private bad = new Map<TreeNode, number>();
  private forest: Forest | undefined;

  /** Takes in what is known now; whether anybody looks other than before. */
  update(forest: Forest, agents: Agent[], services: Service[], now: number): boolean {
    let changed = forest !== this.forest;
    if (changed) this.forget(forest);
    for (const agent of agents) {
      const before = this.known.get(agent.key);
      if (before?.from === agent && before.now === now) continue;
      changed = this.learn(agent.key, before, { look: lookOfAgent(agent, now), from: agent, now }) || changed;
    }
    for (const service of services) {
      if (service.type === "agent") continue;
      const before = this.known.get(service.service_id);
      if (before?.from === service) continue;
      changed = this.learn(service.service_id, before, { look: lookOfService(service), from: service, now }) || changed;
    }
    if (changed) this.countBad(forest);
    return changed;
  }

  of(node: TreeNode): Look {
    if (node.kind !== "swarm" && node.kind !== "group") return this.known.get(node.key)?.look ?? UNKNOWN;
    const bad = this.badBelow(node);
    return { state: bad > 0 ? "degraded" : "ok", diameter: GROUP, note: belowText(node, bad) };
  }

  /** How many below a node need somebody. */
  badBelow(node: TreeNode): number {
    return this.bad.get(node) ?? 0;
  }

  private learn(key: string, before: Known | undefined, now: Known): boolean {
    const changed = !same(before?.look, now.look);
    if (!changed && before) now.look = before.look;
    this.known.set(key, now);
    return changed;
  }

  private forget(forest: Forest): void {
    this.forest = forest;
    for (const key of this.known.keys()) if (!forest.nodes.has(key)) this.known.delete(key);
  }

  private countBad({ nodes }: Forest): void {
    this.bad.clear();
    for (const [key, { look }] of this.known) {
      if (!isBad(look.state)) continue;
      for (let at = nodes.get(key)?.parent; at; at = at.parent) this.bad.set(at, (this.bad.get(at) ?? 0) + 1);
    }
  }
}

/** What is below a node, in words. */
export function belowText({ below }: TreeNode, bad: number): string {
  const trouble = bad === 0 ? "" : `, ${count(bad)} ${bad === 1 ? "needs" : "need"} a look`;
  return `${count(below)} below${trouble}`;
}
