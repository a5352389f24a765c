// What was spent, by whom and on what. Every figure is the gateway's own, or a sum of all of its rows.

import { type Component, For, Show, createEffect, createMemo, on, onCleanup } from "solid-js";
import { serverTime } from "../../lib/time";
import type { GroupBy, StatsRow } from "../../api/types";
import { stats } from "../../api/stats";
import { count, short, usd } from "../../lib/format";
import { fileName, save } from "../../lib/save";
import { sinceTime } from "../../lib/since";
import { line } from "../../lib/text";
import { param, setParams } from "../../lib/url";
import { loaded } from "../../live/loaded";
import { everyTick, link, onEvent } from "../../live/store";
import { Money, Panel, Stat } from "../../parts/basic";
import { say } from "../../parts/dialog";
import { Series } from "../../parts/series";
import { Since } from "../receipts/filters";
import { days } from "./days";
import { Groups } from "./groups";
import { table } from "./load";
import { Prices } from "./prices";
import { type Sums, dollars, failed, ofRow, total } from "./sums";
import { AgentTree, treeTable } from "./tree";
import "./costs.css";

/** What is shown: the tree of agents, or one of the gateway's groups. */
export const VIEWS: { view: "tree" | GroupBy; title: string }[] = [
  { view: "tree", title: "Agent tree" },
  { view: "agent", title: "Agent" },
  { view: "agent_run", title: "Agent run" },
  { view: "model", title: "Model" },
  { view: "service", title: "Service" },
  { view: "provider", title: "Provider" },
  { view: "day", title: "Day" },
  { view: "month", title: "Month" },
  { view: "budget", title: "Budget" },
];

const SPANS = [
  { value: "today", label: "today, UTC" },
  { value: "7d", label: "the last 7 days" },
  { value: "30d", label: "the last 30 days" },
  { value: "", label: "all time" },
];

const Page: Component = () => {
  const view = createMemo(() => VIEWS.find(({ view }) => view === param("by"))?.view ?? "tree");
  const group_by = createMemo((): GroupBy => {
    const shown = view();
    return shown === "tree" ? "agent" : shown;
  });
  const since = () => param("since");
  const wanted = (group: GroupBy) => ({ group_by: group, since: sinceTime(since(), serverTime()) ?? undefined });
  const groups = loaded(
    createMemo(() => JSON.stringify([group_by(), since()])),
    async (_, signal) => {
      const asked = wanted(group_by());
      return { asked, ...(await stats(asked, signal)) };
    },
    { keep: true },
  );
  const byDay = loaded(
    createMemo(() => since() ?? ""),
    async (_, signal) => {
      const asked = wanted("day");
      return { asked, ...(await stats(asked, signal)) };
    },
    { keep: true },
  );
  followCalls(() => {
    groups.look();
    byDay.look();
  });
  /** Rows of another group than is shown are on their way out. */
  const rows = createMemo((): StatsRow[] | undefined => {
    const known = groups.data();
    return known?.asked.group_by === group_by() ? known.rows : undefined;
  });
  const sums = createMemo(() => rows()?.map(ofRow));
  const all = createMemo(() => {
    const known = sums();
    return known && total(known);
  });
  const saveTable = async (): Promise<void> => {
    const shown = view();
    try {
      const blob =
        shown === "tree" ? treeTable(rows() ?? []) : await table(wanted(shown), new AbortController().signal);
      save(blob, fileName(`costs-by-${shown === "tree" ? "agent-tree" : shown}`, "csv"));
    } catch (error) {
      say(line(`Not saved: ${(error as Error).message}`, 300), "error");
    }
  };
  // The owner's rows, a line each; those of the tree are its agents'.
  const saveRows = (): void => {
    const lines = (rows() ?? []).map((row) => `${JSON.stringify(row)}\n`);
    save(new Blob(lines, { type: "application/x-ndjson" }), fileName(`costs-by-${group_by()}`, "jsonl"));
  };
  return (
    <>
      <div class="page-head costs-head">
        <h1>Costs</h1>
        <Since spans={SPANS} />
        <span class="space" />
        <button type="button" onClick={() => saveRows()} disabled={rows() === undefined}>
          Export JSONL
        </button>
        <button type="button" onClick={() => void saveTable()} disabled={rows() === undefined}>
          Export CSV
        </button>
      </div>
      <Totals all={all()} />
      <Panel title="Spend a day, UTC" source={byDay}>
        <Show when={byDay.data()} fallback={<p class="muted">Loading…</p>}>
          {(known) => <Daily rows={known().rows} since={known().asked.since} />}
        </Show>
      </Panel>
      <div class="views" role="group" aria-label="Spend by">
        <For each={VIEWS}>
          {({ view: it, title }) => (
            <button
              type="button"
              aria-pressed={view() === it}
              onClick={() => setParams({ by: it === "tree" ? undefined : it, sort: undefined })}
            >
              {title}
            </button>
          )}
        </For>
      </div>
      <Panel
        title={`Spend by ${VIEWS.find((one) => one.view === view())?.title.toLowerCase() ?? ""}`}
        source={groups}
        flush
      >
        <Show when={(groups.data()?.behind ?? 0) > 0}>
          <p class="trouble" role="status">
            All sums on this page lack the newest {count(groups.data()?.behind ?? 0)} records: the gateway's index is still
            taking them in.
          </p>
        </Show>
        <Show when={rows()} fallback={<p class="empty">{groups.error() ? "Nothing is known yet." : "Loading…"}</p>}>
          {(known) => (
            <Show when={view() === "tree"} fallback={<Groups group_by={group_by()} rows={known()} total={all()} />}>
              <AgentTree rows={known()} total={all()} />
            </Show>
          )}
        </Show>
      </Panel>
      <Panel title="Budgets">
        <p>
          There are no budgets yet: they come with the token governor. Until then nothing limits what is spent, and the
          budget that a call names is recorded on its receipt, and no more.
        </p>
      </Panel>
      <Prices />
    </>
  );
};

/** Looks again when calls have ended since, in the user's rhythm; and when events were missed. */
function followCalls(look: () => void): void {
  let ended = false;
  onCleanup(onEvent((event) => (ended ||= event.event_type === "receipt")));
  createEffect(
    on(
      everyTick,
      () => {
        if (!ended) return;
        ended = false;
        look();
      },
      { defer: true },
    ),
  );
  createEffect(
    on(
      () => link().live,
      (live, before) => live && before === false && look(),
    ),
  );
}

const Totals: Component<{ all: Sums | undefined }> = (props) => (
  <Show when={props.all}>
    {(all) => (
      <div class="stats">
        <Stat
          label="Confirmed"
          value={<Money usd={dollars(all().confirmed_nanos)} />}
          note="by the provider's count, at a known price"
        />
        <Stat
          label="Estimated"
          value={<Money usd={dollars(all().estimated_nanos)} estimated />}
          note="tokens or price not confirmed"
        />
        <Stat label="Cost not known" value={count(all().unknown_cost_calls)} note="calls, in neither of the sums" />
        <Stat
          label="Calls"
          value={count(all().calls)}
          note={`${count(failed(all()))} failed, ${count(all().by_status.cancelled)} cancelled`}
        />
        <Stat
          label="Tokens"
          value={short(all().tokens.input + all().tokens.output)}
          note={`${short(all().tokens.input)} read, ${short(all().tokens.output)} written`}
        />
      </div>
    )}
  </Show>
);

const Daily: Component<{ rows: StatsRow[]; since: string | undefined }> = (props) => {
  const series = createMemo(() => days(props.rows, props.since, serverTime()));
  return (
    <Series
      daily
      label="Spend a day"
      at={series().at}
      values={[series().all, series().confirmed]}
      lines={[
        { label: "with estimates", color: "degraded", format: usd },
        { label: "confirmed", color: "running", format: usd },
      ]}
    />
  );
};

export default Page;
