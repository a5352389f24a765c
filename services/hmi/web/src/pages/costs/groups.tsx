// Spend by one of the gateway's groups.

import { type Component, Index, Show, createMemo, createSignal } from "solid-js";
import type { GroupBy, StatsRow } from "../../api/types";
import { count } from "../../lib/format";
import { line } from "../../lib/text";
import { param } from "../../lib/url";
import { A } from "../../parts/basic";
import { Cells, FIGURES, Foot, Head, compare, order } from "./columns";
import { type Sums, ofRow } from "./sums";

/** Rows that are there at once. */
const SHOWN = 200;

/** What a group without a key is. */
const NONE: Record<GroupBy, string> = {
  agent: "no agent named",
  agent_run: "no run named",
  model: "nobody was asked",
  service: "nobody was asked",
  provider: "nobody was asked, or no provider known",
  budget: "no budget named",
  day: "no day",
  month: "no month",
};

/** The filter of receipts that shows the calls of a group. */
const FILTER: Partial<Record<GroupBy, string>> = {
  agent: "agent",
  agent_run: "agent_run_id",
  model: "model",
  service: "service",
  budget: "budget",
};

const TITLES: Record<GroupBy, string> = {
  agent: "Agent",
  agent_run: "Agent run",
  model: "Model",
  service: "Service",
  provider: "Provider",
  budget: "Budget",
  day: "Day, UTC",
  month: "Month, UTC",
};

interface Shown {
  key: string | null;
  sums: Sums;
}

export const Groups: Component<{ group_by: GroupBy; rows: StatsRow[]; total: Sums | undefined }> = (props) => {
  const [limit, setLimit] = createSignal(SHOWN);
  const isTime = () => props.group_by === "day" || props.group_by === "month";
  const sorted = createMemo((): Shown[] => {
    const rows = props.rows.map((row) => ({ key: row.key, sums: ofRow(row) }));
    // As the gateway has them: by name, and times with the latest first.
    if (order() === "key" || (order() === undefined && isTime())) return rows;
    return rows.sort((a, b) => compare(a.sums, b.sums));
  });
  const seen = createMemo(() => sorted().slice(0, limit()));
  return (
    <div
      class="spend"
      tabindex="0"
      role="region"
      aria-label={`Table of spend by ${TITLES[props.group_by].toLowerCase()}`}
    >
      <table>
        <Head title={TITLES[props.group_by]} figures={FIGURES} />
        <tbody>
          <Index each={seen()}>
            {(row) => (
              <tr>
                <th scope="row">
                  <Key group_by={props.group_by} of={row().key} />
                </th>
                <Cells sums={row().sums} figures={FIGURES} />
              </tr>
            )}
          </Index>
        </tbody>
        <Show when={props.total}>
          {(total) => (
            <tfoot>
              <tr>
                <th scope="row">All {count(props.rows.length)}</th>
                <Cells sums={total()} figures={FIGURES} />
              </tr>
            </tfoot>
          )}
        </Show>
      </table>
      <Foot none={props.rows.length === 0} lines={sorted().length} shown={limit()} more={() => setLimit((limit) => limit + SHOWN)} />
    </div>
  );
};

const Key: Component<{ group_by: GroupBy; of: string | null }> = (props) => {
  const href = (): string | undefined => {
    const filter = FILTER[props.group_by];
    if (props.of === null || filter === undefined) return undefined;
    const since = param("since");
    return `/receipts?${new URLSearchParams({ [filter]: props.of, ...(since ? { since } : {}) })}`;
  };
  return (
    <Show when={props.of !== null} fallback={<span class="muted">{NONE[props.group_by]}</span>}>
      <Show when={href()} fallback={<span class="clip">{line(props.of ?? "", 120)}</span>}>
        {(href) => (
          <A href={href()} class="clip" title={line(props.of ?? "", 500)}>
            {line(props.of ?? "", 120)}
          </A>
        )}
      </Show>
    </Show>
  );
};
