// The columns that all tables of spend have.

import { type Component, For, type JSX, Show } from "solid-js";
import type { StatsRow } from "../../api/types";
import { count, short } from "../../lib/format";
import { param, setParams } from "../../lib/url";
import { Money } from "../../parts/basic";
import { type Sums, dollars, failed, nanos } from "./sums";

export interface Figure {
  id: string;
  title: string;
  value: (sums: Sums) => number;
  cell: (sums: Sums) => JSX.Element;
}

const tokens = (id: keyof StatsRow["tokens"], title: string): Figure => ({
  id,
  title,
  value: (sums) => sums.tokens[id],
  cell: (sums) => <Tokens n={sums.tokens[id]} />,
});

const Tokens: Component<{ n: number }> = (props) => <span title={count(props.n)}>{short(props.n)}</span>;

export const FIGURES: Figure[] = [
  { id: "calls", title: "Calls", value: (sums) => sums.calls, cell: (sums) => count(sums.calls) },
  { id: "failed", title: "Failed", value: failed, cell: (sums) => <Failed n={failed(sums)} /> },
  {
    id: "confirmed",
    title: "Confirmed",
    value: (sums) => sums.confirmed_nanos,
    cell: (sums) => <Money usd={dollars(sums.confirmed_nanos)} />,
  },
  {
    id: "estimated",
    title: "Estimated",
    value: (sums) => sums.estimated_nanos,
    cell: (sums) => <Money usd={dollars(sums.estimated_nanos)} estimated />,
  },
  {
    id: "unknown",
    title: "Cost unknown",
    value: (sums) => sums.unknown_cost_calls,
    cell: (sums) => <Failed n={sums.unknown_cost_calls} />,
  },
  tokens("input", "Input"),
  tokens("output", "Output"),
  tokens("cache_read", "Cache read"),
  tokens("cache_write", "Cache write"),
  tokens("reasoning", "Reasoning"),
];

/** A number that is better nothing. */
const Failed: Component<{ n: number }> = (props) => (
  <span classList={{ muted: props.n === 0, bad: props.n > 0 }}>{count(props.n)}</span>
);

/** By what rows are ordered: a column's id, or the key. */
export const order = (): string | undefined => param("sort");

/** The order that the URL asks for; without one, by what was spent. */
export function compare(a: Sums, b: Sums): number {
  const figure = FIGURES.find(({ id }) => id === order());
  return figure ? figure.value(b) - figure.value(a) : nanos(b) - nanos(a) || b.calls - a.calls;
}

export const Head: Component<{ title: string; figures: Figure[] }> = (props) => (
  <thead>
    <tr>
      <th scope="col" aria-sort={order() === "key" ? "ascending" : undefined}>
        <button type="button" class="plain" onClick={() => setParams({ sort: "key" })}>
          {props.title}
        </button>
      </th>
      <For each={props.figures}>
        {({ id, title }) => (
          <th scope="col" class="right" aria-sort={order() === id ? "descending" : undefined}>
            <button type="button" class="plain" onClick={() => setParams({ sort: id })}>
              {title}
              <Show when={order() === id}> ↓</Show>
            </button>
          </th>
        )}
      </For>
    </tr>
  </thead>
);

export const Cells: Component<{ sums: Sums; figures: Figure[] }> = (props) => (
  <For each={props.figures}>{(figure) => <td class="right num">{figure.cell(props.sums)}</td>}</For>
);

/** Below a table: how much of it is shown. */
export const Foot: Component<{ none: boolean; lines: number; shown: number; more: () => void }> = (props) => (
  <>
    <Show when={props.lines > props.shown}>
      <p class="empty">
        {count(props.shown)} of {count(props.lines)} lines are shown; the sums are of all.{" "}
        <button type="button" onClick={() => props.more()}>
          Show more
        </button>
      </p>
    </Show>
    <Show when={props.none}>
      <p class="empty">No call in this time.</p>
    </Show>
  </>
);
