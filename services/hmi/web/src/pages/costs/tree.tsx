// Spend by the tree of agents: each by itself, and with all below it.

import { type Component, Index, Show, createMemo, createSignal } from "solid-js";
import type { StatsRow } from "../../api/types";
import { row as csvRow } from "../../lib/csv";
import { count } from "../../lib/format";
import { line } from "../../lib/text";
import { param } from "../../lib/url";
import { agents } from "../../live/store";
import { A, Money } from "../../parts/basic";
import { Cells, FIGURES, Foot, Head, compare, order } from "./columns";
import { type Line, type Node, type Placed, lines, rollup } from "./rollup";
import { type Sums, dollars, failed, nanos, ofRow } from "./sums";

/** Levels that are open at first. */
const OPEN = 2;
const SHOWN = 200;

const placed = (): Placed[] =>
  agents().map(({ name, service }) => ({ name, parent: service?.labels.parent ?? undefined }));
const spent = (rows: StatsRow[]): Map<string | null, Sums> => new Map(rows.map((row) => [row.key, ofRow(row)]));

export const AgentTree: Component<{ rows: StatsRow[]; total: Sums | undefined }> = (props) => {
  const [turned, setTurned] = createSignal<ReadonlySet<string>>(new Set());
  const [limit, setLimit] = createSignal(SHOWN);
  // Who is under whom changes rarely, agents with each beat.
  const places = createMemo(placed, undefined, { equals: (a, b) => JSON.stringify(a) === JSON.stringify(b) });
  const roots = createMemo(() => rollup(spent(props.rows), places()));
  const isOpen = (key: string, depth: number): boolean => depth < OPEN !== turned().has(key);
  const byOrder = (a: Node, b: Node): number => (order() === "key" ? 0 : compare(a.all, b.all));
  const all = createMemo(() => lines(roots(), isOpen, byOrder));
  const turn = (key: string): void => {
    setTurned((before) => {
      const after = new Set(before);
      if (!after.delete(key)) after.add(key);
      return after;
    });
  };
  return (
    <div class="spend tree" tabindex="0" role="region" aria-label="Table of spend by agent tree">
      <table>
        <Head title="Agent, with all below it" figures={FIGURES} />
        <tbody>
          <Index each={all().slice(0, limit())}>
            {(it) => (
              <tr>
                <th scope="row">
                  <Name line={it()} open={isOpen(it().key, it().depth)} turn={() => turn(it().key)} />
                </th>
                <Cells sums={it().node.all} figures={FIGURES} />
              </tr>
            )}
          </Index>
        </tbody>
        <Show when={props.total}>
          {(total) => (
            <tfoot>
              <tr>
                <th scope="row">All calls</th>
                <Cells sums={total()} figures={FIGURES} />
              </tr>
            </tfoot>
          )}
        </Show>
      </table>
      <Foot none={props.rows.length === 0} lines={all().length} shown={limit()} more={() => setLimit((limit) => limit + SHOWN)} />
    </div>
  );
};

const Name: Component<{ line: Line; open: boolean; turn: () => void }> = (props) => {
  const node = () => props.line.node;
  const href = (): string => {
    const since = param("since");
    return `/receipts?${new URLSearchParams({ agent: node().name ?? "", ...(since ? { since } : {}) })}`;
  };
  const parted = () => node().children.length > 0 && node().own.calls > 0;
  return (
    <span class="branch" style={{ "--depth": props.line.depth }}>
      <Show when={node().children.length > 0} fallback={<span class="leaf" />}>
        <button
          type="button"
          class="plain turn"
          aria-expanded={props.open}
          aria-label={`${props.open ? "Close" : "Open"} ${line(node().name ?? "", 60)}`}
          onClick={() => props.turn()}
        >
          {props.open ? "▾" : "▸"}
        </button>
      </Show>
      <Show when={node().name !== null} fallback={<span class="muted">no agent named</span>}>
        <A href={href()} class="clip" title={line(node().name ?? "", 500)}>
          {line(node().name ?? "", 80)}
        </A>
        <Show when={!node().listed}>
          <span class="muted nowrap" title="The registry does not list it now: under whom it was is not known">
            not listed
          </span>
        </Show>
        <Show when={parted()}>
          <span class="muted nowrap own" title="By itself, without those below it">
            own <Money usd={dollars(nanos(node().own))} estimated={node().own.estimated_nanos > 0} />,{" "}
            {count(node().own.calls)} calls
          </span>
        </Show>
      </Show>
    </span>
  );
};

const COLUMNS = ["path", "agent", "calls", "failed", "usd_confirmed", "usd_estimated", "unknown_cost_calls"];

/** Names of a path that are written: each line of a deep chain would have all of it. */
const NAMES = 100;
const pathOf = (way: string[]): string => (way.length > NAMES ? ["…", ...way.slice(-NAMES)] : way).join(" / ");

/** The whole tree as a table, own and with descendants. */
export function treeTable(rows: StatsRow[]): Blob {
  const figures = (sums: Sums) => [
    sums.calls,
    failed(sums),
    dollars(sums.confirmed_nanos),
    dollars(sums.estimated_nanos),
    sums.unknown_cost_calls,
  ];
  const [, , ...names] = COLUMNS;
  const head = csvRow(["path", "agent", ...names.map((name) => `own_${name}`), ...names.map((name) => `all_${name}`)]);
  const way: string[] = [];
  const table = lines(
    rollup(spent(rows), placed()),
    () => true,
    () => 0,
  ).map(({ node, depth }) => {
    way.length = depth;
    way.push(node.name ?? "");
    return csvRow([pathOf(way), node.name, ...figures(node.own), ...figures(node.all)]);
  });
  return new Blob([head, ...table], { type: "text/csv;charset=utf-8" });
}
