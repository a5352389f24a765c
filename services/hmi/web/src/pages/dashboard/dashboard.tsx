// Is it going well, and what needs me? Everything on it leads to more.

import { type Component, For, Show } from "solid-js";
import { heard, hello, latestReceipts, rates, series, sources, today } from "../../live/store";
import { count, duration, percent, short } from "../../lib/format";
import { line } from "../../lib/text";
import { link } from "../../lib/url";
import { ofPart } from "../../live/state";
import { A, Clip, Empty, Money, Panel, Spend, Stat, Time } from "../../parts/basic";
import { Series } from "../../parts/series";
import { Tag } from "../../parts/state";
import { callState } from "../../parts/calls";
import { Cards } from "./cards";
import { Queue } from "./queue";
import { Tail } from "./tail";
import "./dashboard.css";

export default function Dashboard() {
  return (
    <>
      <h1 class="hidden-text">Dashboard</h1>
      <Numbers />
      <div class="board">
        <div class="column">
          <Queue />
          <Cards />
        </div>
        <div class="column">
          <Parts />
          <Calls />
          <Latest />
          <Tail />
        </div>
      </div>
    </>
  );
}

const Numbers: Component = () => {
  const inflight = () => (sources.inflight.error() === undefined ? sources.inflight.data()?.inflight : undefined);
  // What happens isn't heard, so nobody knows how much it is.
  const known = (text: string): string => (heard.error() === undefined ? text : "–");
  const oldest = () => inflight()?.[0];
  return (
    <div class="stats">
      <Stat href="/receipts" label="Calls a second" value={known(rates().calls_per_s.toFixed(1))} note={`${count(rates().calls)} in the last minute`} />
      <Stat
        href="/receipts?status=error"
        label="Failed"
        value={known(rates().calls === 0 ? "–" : percent(rates().failed / rates().calls))}
        note={`${count(rates().failed)} of the last minute's calls`}
      />
      <Stat href="/receipts" label="Latency, 95th percentile" value={known(duration(rates().p95_ms))} note={`half within ${duration(rates().p50_ms)}`} />
      <Stat href="/costs" label="Tokens a second" value={known(short(rates().tokens_per_s))} note="in and out, last minute" />
      <Stat
        href="/costs"
        label="Spent today (UTC)"
        value={<Show when={today()} fallback={today() === null ? <Money usd={0} /> : "–"}>{(row) => <Spend row={row()} />}</Show>}
        note={`${count(today()?.calls ?? (today() === null ? 0 : undefined))} calls, no budget is set`}
      />
      <Stat
        href="/tree"
        label="Calls under way"
        value={count(inflight()?.length)}
        note={<Show when={oldest()} fallback="none waits">{(call) => `the oldest for ${duration(call().age_ms)}`}</Show>}
      />
    </div>
  );
};

/** How PAS's own parts are. */
const Parts: Component = () => (
  <Panel title="PAS itself" source={sources.health} actions={<A href="/services">Services</A>}>
    <ul class="parts">
      <For each={sources.health.data()?.services ?? []}>
        {(part) => (
          <li>
            <Tag state={ofPart(part)}>{part.status}</Tag>
            <span class="nowrap">{part.name}</span>
            <Show when={part.reason}>
              <Clip class="muted" text={part.reason!} />
            </Show>
          </li>
        )}
      </For>
    </ul>
  </Panel>
);

const Calls: Component = () => (
  <Panel title="Calls, last ten minutes" source={heard}>
    <Series
      label="Calls and failures a second"
      at={series().at}
      values={[series().calls, series().failed]}
      lines={[
        { label: "calls/s", color: "running", format: (value) => value.toFixed(1), fill: true },
        { label: "failed/s", color: "error", format: (value) => value.toFixed(1) },
      ]}
    />
  </Panel>
);

const FIRST_CALL = (gateway: string): string =>
  `curl -s ${gateway}/invoke -H 'content-type: application/json' -d '{"target": {"type": "model", "require_caps": ["classify"]}, "payload": {"text": "quantum entanglement physics"}}'`;

const Latest: Component = () => (
  <Panel title="Latest calls" source={heard} flush actions={<A href="/receipts">All receipts</A>}>
    <Show
      when={latestReceipts(8).length > 0}
      fallback={<Empty command={FIRST_CALL(hello()?.urls.gateway ?? "")}>No call since this page was opened. Make one:</Empty>}
    >
      <ul class="latest">
        <For each={latestReceipts(8)}>
          {(receipt) => (
            <li>
              <A href={link("/receipts", receipt.call_id)}>
                <Tag state={callState(receipt.status)}>{receipt.status}</Tag>
                <span class="clip">
                  {line(receipt.agent ?? "–", 40)} → {line(receipt.model ?? receipt.service ?? "nobody", 40)}
                </span>
                <span class="num muted nowrap">{duration(receipt.timings_ms?.total)}</span>
                <Money usd={receipt.cost?.usd} estimated={receipt.cost?.state === "estimated"} />
                <Time at={receipt.ts} />
              </A>
            </li>
          )}
        </For>
      </ul>
    </Show>
  </Panel>
);

