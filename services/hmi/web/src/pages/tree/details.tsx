// The parts of the side panel that tell of one: its calls, its spend, its latest receipts, its history.

import { type Component, For, Show } from "solid-js";
import type { InFlight, ReceiptPage, Transition } from "../../api/types";
import { asked } from "../../lib/asked";
import { count, duration } from "../../lib/format";
import { line } from "../../lib/text";
import { link } from "../../lib/url";
import { cancelCall } from "../../acts/actions";
import type { Source } from "../../live/source";
import { now } from "../../live/store";
import { A, Age, Clip, Money } from "../../parts/basic";
import { callState } from "../../parts/calls";
import { Tag } from "../../parts/state";
import type { Spent } from "./spend";

export const Calls: Component<{ calls: InFlight[] }> = (props) => (
  <section>
    <h3>Calls under way</h3>
    <For each={props.calls} fallback={<p class="muted">None.</p>}>
      {(call) => (
        <div class="call">
          <A class="mono wrap" href={link("/receipts", call.run_id)}>
            {call.run_id}
          </A>
          <span class="clip">
            {line([call.service ?? "no service yet", call.model].filter(Boolean).join(" · "), 120)}
          </span>
          <span class="num nowrap">
            for {duration(Math.max(0, Math.floor((now() - Date.parse(call.ts)) / 1000) * 1000))}
          </span>
          <button
            type="button"
            class="danger"
            onClick={() => void cancelCall(call.run_id)}
            aria-label={`Cancel ${call.run_id}`}
          >
            Cancel
          </button>
        </div>
      )}
    </For>
  </section>
);

/** Sums of the gateway, or a word on why there is none. */
export const Spending: Component<{
  own: Spent | undefined;
  below: Spent | undefined;
  names: number;
  missing: string;
}> = (props) => (
  <section>
    <h3>Spend</h3>
    <dl class="kv">
      <dt>Own calls</dt>
      <dd>
        <Sum spent={props.own} missing={props.missing} />
      </dd>
      <Show when={props.names > 0}>
        <dt>
          {count(props.names)} {props.names === 1 ? "agent" : "agents"} below
        </dt>
        <dd>
          <Sum spent={props.below} missing={props.missing} />
        </dd>
      </Show>
    </dl>
  </section>
);

const Sum: Component<{ spent: Spent | undefined; missing: string }> = (props) => (
  <Show when={props.spent} fallback={<span class="muted">– {props.missing}</span>}>
    {(spent) => (
      <>
        <Money usd={spent().usd} estimated={spent().estimated} />{" "}
        <span class="muted">
          in {count(spent().calls)} {spent().calls === 1 ? "call" : "calls"}
          <Show when={spent().unknown > 0}>, the cost of {count(spent().unknown)} is not known</Show>
        </span>
      </>
    )}
  </Show>
);

export const Receipts: Component<{ source: Source<ReceiptPage>; more: string }> = (props) => (
  <section>
    <h3>Latest receipts</h3>
    <Show when={props.source.data()} fallback={<Missing source={props.source} />}>
      {(page) => (
        <>
          <For each={page().receipts} fallback={<p class="muted">No call yet.</p>}>
            {(receipt) => (
              <A class="tree-receipt" href={link("/receipts", receipt.run_id)}>
                <Tag state={callState(receipt.status)}>{receipt.status}</Tag>
                <Clip text={asked(receipt)?.model ?? receipt.target_request?.model ?? receipt.route} limit={60} />
                <Money usd={receipt.cost_estimate.usd} estimated={receipt.cost_estimate.state === "estimated"} />
                <Age at={receipt.ts} />
              </A>
            )}
          </For>
          <Show when={page().next_cursor !== null}>
            <A href={props.more}>All of them</A>
          </Show>
        </>
      )}
    </Show>
  </section>
);

const HISTORY = 10;

export const History: Component<{ history: Transition[] }> = (props) => (
  <section>
    <h3>History</h3>
    <ul class="history">
      <For each={props.history.slice(0, HISTORY)} fallback={<li class="muted">Nothing is remembered.</li>}>
        {(it) => (
          <li>
            <Age at={it.ts} />
            <span class="wrap">
              {it.kind.replaceAll("_", " ")}
              {changed(it)}
              <Show when={it.reason}>{(reason) => <span class="muted">: {line(reason(), 200)}</span>}</Show>
            </span>
          </li>
        )}
      </For>
    </ul>
    <Show when={props.history.length > HISTORY}>
      <p class="muted">And {count(props.history.length - HISTORY)} older that are remembered.</p>
    </Show>
  </section>
);

function changed({ from_status, to_status, from_role, to_role }: Transition): string {
  if (from_role && to_role && from_role !== to_role) return ` from ${from_role} to ${to_role}`;
  return from_status && to_status && from_status !== to_status ? ` from ${from_status} to ${to_status}` : "";
}

/** What isn't there yet, or why it isn't. */
export const Missing: Component<{ source: Pick<Source<unknown>, "error"> }> = (props) => (
  <p class="muted">{props.source.error() === undefined ? "Loading…" : line(props.source.error() ?? "", 300)}</p>
);
