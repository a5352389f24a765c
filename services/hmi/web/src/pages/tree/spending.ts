// What one and all below it have spent, from the gateway's sums by agent: all of them, or none is said.

import { createEffect, createMemo, createSignal, on, onCleanup } from "solid-js";
import { get, query } from "../../api/client";
import type { Stats, StatsRow } from "../../api/types";
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
  const [rest, setRest] = createSignal<StatsRow[]>();
  let ended = false;
  onCleanup(() => {
    ended = true;
  });
  // More agents than one page has are asked for page by page, by whoever looks at one alone.
  createEffect(
    on(sources.byAgent.data, (first) => {
      if (!first || first.next_cursor === null) return;
      void following(first.next_cursor).then(
        (rows) => ended || setRest(rows),
        () => undefined,
      );
    }),
  );
  const rows = createMemo((): ReadonlyMap<string, StatsRow> | undefined => {
    const first = sources.byAgent.data();
    if (!first) return undefined;
    const others = first.next_cursor === null ? [] : rest();
    return others && new Map([...first.stats, ...others].flatMap((row) => (row.key === null ? [] : [[row.key, row]])));
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

async function following(first: string): Promise<StatsRow[]> {
  const rows: StatsRow[] = [];
  for (let cursor: string | null = first; cursor !== null;) {
    const page: Stats = await get<Stats>(
      `/api/gateway/receipts/stats${query({ group_by: "agent", limit: 1000, cursor })}`,
    );
    rows.push(...page.stats);
    cursor = page.next_cursor;
  }
  return rows;
}
