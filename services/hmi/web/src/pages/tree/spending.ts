// What one and all below it have spent, from the gateway's sums by agent: all of them, or none is said.

import { createMemo } from "solid-js";
import type { StatsRow } from "../../api/types";
import { agents, sources } from "../../live/store";
import type { TreeNode } from "./forest";
import { type Spent, namesBelow, spentBy } from "./spend";

export interface Spending {
  own: Spent | undefined;
  below: Spent | undefined;
  /** How many names are below. */
  names: number;
  /** Why a sum isn't there. */
  missing: string;
}

export function createSpending(node: () => TreeNode): () => Spending {
  const rows = createMemo((): ReadonlyMap<string, StatsRow> | undefined => {
    const all = sources.byAgent.data();
    return all && new Map(all.flatMap((row) => (row.key === null ? [] : [[row.key, row]])));
  });
  const nameOf = createMemo(() => new Map(agents().map(({ key, name }) => [key, name])));
  const below = createMemo(() => namesBelow(node(), (key) => nameOf().get(key)));
  return () => {
    const known = rows();
    const own = nameOf().get(node().key);
    return {
      own: known && own !== undefined ? spentBy([own], known) : undefined,
      below: known && spentBy(below(), known),
      names: below().size,
      missing: sources.byAgent.error() ?? "not told yet",
    };
  };
}
