// What needs a look, and what needed one.

import { type Component, For, Show, createEffect, createMemo, createSignal, on } from "solid-js";
import type { Alert } from "../../api/types";
import type { Field } from "../../lib/csv";
import { count } from "../../lib/format";
import { line } from "../../lib/text";
import { param, search, selected, setParams } from "../../lib/url";
import { acknowledgeAlerts } from "../../acts/actions";
import { alerts, now, sources } from "../../live/store";
import { Panel } from "../../parts/basic";
import { Exports } from "../../parts/exports";
import { useEscape } from "../../shell/keys";
import "../services/beside.css";
import "./alerts.css";
import { Detail } from "./detail";
import { type Feed, everything, feed } from "./feed";
import { Filters, useFilter } from "./filters";
import { KINDS, kindOf } from "./kinds";
import { type Order, byType } from "./list";
import { MuteQuestion, Mutes, askMute } from "./mute";
import { Rows } from "./rows";

const PAGE = "/alerts";
const COLUMNS: [string, (alert: Alert) => Field][] = [
  ["ts", (it) => it.ts],
  ["severity", (it) => it.severity],
  ["alert_type", (it) => it.alert_type],
  ["service_name", (it) => it.service_name],
  ["service_id", (it) => it.service_id],
  ["missed_beats", (it) => it.missed_beats],
  ["last_seen", (it) => it.last_seen],
  ["action", (it) => it.action],
  ["acked", (it) => String(it.acked)],
  ["message", (it) => it.message],
  ["alert_id", (it) => it.alert_id],
];

export default function Alerts() {
  const id = () => selected(PAGE);
  const explained = () => param("types") === "shown";
  const close = () => `${PAGE}${search()}`;
  const filter = useFilter();
  const order = createMemo((): Order => {
    const chosen = param("order");
    if (chosen === "severity" || chosen === "newest") return chosen;
    // What is open is there to be done, the worst first; what is past is a history.
    return param("acked") === undefined ? "severity" : "newest";
  });
  const list = feed(filter, order);
  const [marked, setMarked] = createSignal<ReadonlySet<string>>(new Set());
  createEffect(on(filter, () => setMarked(new Set<string>()), { defer: true }));
  const mark = (id: string, on: boolean): void => {
    const next = new Set(marked());
    if (on) next.add(id);
    else next.delete(id);
    setMarked(next);
  };
  useEscape(() => (id() === undefined ? undefined : close()));
  const source = {
    // The stream tells of alerts also while the monitor is away.
    at: () => sources.alerts.at() ?? (alerts().length > 0 ? now() : undefined),
    error: () => sources.alerts.error(),
  };
  return (
    <div class="alerts" classList={{ chosen: id() !== undefined }}>
      <div class="page-head">
        <h1>Alerts</h1>
        <span class="space" />
        <Exports of="alerts" rows={() => everything(filter(), order())} columns={COLUMNS} />
        <button
          type="button"
          aria-expanded={explained()}
          onClick={() => setParams({ types: explained() ? "" : "shown" })}
        >
          What they mean
        </button>
        <button type="button" onClick={() => askMute({})}>
          Mute…
        </button>
      </div>
      <Show when={explained()}>
        <Meanings />
      </Show>
      <Mutes shown={list.rows()} />
      <div class="beside">
        <Panel
          title={`${count(list.rows().length)} shown${list.complete() ? "" : ", more below"}`}
          source={source}
          flush
          class="list"
        >
          <Filters />
          <Bulk list={list} marked={marked()} mark={setMarked} />
          <Rows rows={list.rows()} order={order()} selected={id()} marked={marked()} mark={mark} more={list.more} />
          <Foot list={list} />
        </Panel>
        <Show when={id()}>{(id) => <Detail id={id()} shown={list.rows()} close={close()} />}</Show>
      </div>
      <MuteQuestion shown={list.rows()} />
    </div>
  );
}

/** What is done to several at once. */
const Bulk: Component<{ list: Feed; marked: ReadonlySet<string>; mark: (ids: ReadonlySet<string>) => void }> = (
  props,
) => {
  const open = createMemo(() => props.list.rows().filter((alert) => !alert.acked));
  const chosen = () => open().filter((alert) => props.marked.has(alert.alert_id));
  const kinds = createMemo(() => byType(open()));
  const acknowledge = async (ids: string[], what: string): Promise<void> => {
    await acknowledgeAlerts(ids, what);
    props.mark(new Set());
  };
  return (
    <Show when={open().length > 0}>
      <div class="filters bar bulk">
        <button
          type="button"
          onClick={() => props.mark(new Set(chosen().length > 0 ? [] : open().map((alert) => alert.alert_id)))}
        >
          {chosen().length > 0 ? "Select none" : `Select all ${open().length} shown`}
        </button>
        <Show when={chosen().length > 0}>
          <button
            type="button"
            class="primary"
            onClick={() =>
              void acknowledge(
                chosen().map((alert) => alert.alert_id),
                `${chosen().length} selected`,
              )
            }
          >
            Acknowledge {chosen().length} selected
          </button>
        </Show>
        <details class="kinds">
          <summary>By kind</summary>
          <ul>
            <For each={kinds()}>
              {([type, alike]) => (
                <li>
                  <span>
                    {kindOf(type).title} <span class="muted num">{alike.length} shown</span>
                  </span>
                  <button
                    type="button"
                    aria-label={`Acknowledge all ${alike.length} shown of ${kindOf(type).title}`}
                    onClick={() =>
                      void acknowledge(
                        alike.map((alert) => alert.alert_id),
                        `all ${alike.length} shown of “${kindOf(type).title}”`,
                      )
                    }
                  >
                    Acknowledge all
                  </button>
                  <button type="button" aria-label={`Mute ${kindOf(type).title}`} onClick={() => askMute({ type })}>
                    Mute…
                  </button>
                </li>
              )}
            </For>
          </ul>
        </details>
      </div>
    </Show>
  );
};

/** What stands under the list: what is to come, what went wrong, or that there is nothing. */
const Foot: Component<{ list: Feed }> = (props) => {
  const filtered = () => ["severity", "type", "service", "since"].some((name) => param(name) !== undefined);
  return (
    <Show
      when={props.list.error()}
      fallback={
        <Show when={props.list.complete()} fallback={<p class="empty">{props.list.loading() ? "Looking…" : ""}</p>}>
          <Show when={props.list.rows().length === 0}>
            <Show
              when={filtered()}
              fallback={
                <p class="empty">{param("acked") ? "There was no alert." : "Nothing is open: nobody has to act."}</p>
              }
            >
              <div class="empty">
                No alert fits these filters.{" "}
                <button type="button" onClick={() => setParams({ severity: "", type: "", service: "", since: "" })}>
                  Clear the filters
                </button>
              </div>
            </Show>
          </Show>
        </Show>
      }
    >
      {(error) => (
        <div class="empty">
          {line(error(), 300)}{" "}
          <button type="button" onClick={() => props.list.more()}>
            Try again
          </button>
        </div>
      )}
    </Show>
  );
};

const Meanings: Component = () => (
  <Panel title="What the types mean, and what to do">
    <dl class="meanings">
      <For each={Object.entries(KINDS)}>
        {([type, kind]) => (
          <div>
            <dt>
              {kind.title} <code class="muted">{type}</code>
            </dt>
            <dd>
              {kind.means}
              <p>
                <strong>To do:</strong> {kind.todo}
              </p>
            </dd>
          </div>
        )}
      </For>
    </dl>
  </Panel>
);
