// What a subtree's calls cost: the gateway's sums by name, each name once. Pure.

import type { StatsRow } from "../../api/types";
import { type TreeNode, down } from "./forest";

export interface Spent {
  usd: number;
  /** Whether estimates are in it. */
  estimated: boolean;
  calls: number;
  /** Calls whose cost nobody knows, which are not in it. */
  unknown: number;
}

const NANOS = 1_000_000_000;

/** The names of all agents below a node, other than its own: the gateway keeps calls by name. */
export function namesBelow(node: TreeNode, nameOf: (key: string) => string | undefined): Set<string> {
  const names = new Set<string>();
  const own = nameOf(node.key);
  for (const it of down(node)) {
    const name = it.kind === "agent" ? nameOf(it.key) : undefined;
    if (name !== undefined && name !== own) names.add(name);
  }
  return names;
}

/** The sum of these names' rows, in whole nano-dollars; a name without a row has made no call. */
export function spentBy(names: Iterable<string>, rows: ReadonlyMap<string, StatsRow>): Spent {
  let [nanos, calls, unknown] = [0, 0, 0];
  let estimated = false;
  for (const name of names) {
    const row = rows.get(name);
    if (!row) continue;
    nanos += Math.round(row.usd.confirmed * NANOS) + Math.round(row.usd.estimated * NANOS);
    estimated ||= row.usd.estimated > 0;
    calls += row.calls;
    unknown += row.unknown_cost_calls;
  }
  return { usd: nanos / NANOS, estimated, calls, unknown };
}
