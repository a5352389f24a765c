// Everything of one service, beside the list; on a phone in its place.

import { type Component, Show, createMemo } from "solid-js";
import type { Service, ServiceDetail, ServiceView } from "../../api/types";
import { count, duration, percent } from "../../lib/format";
import { line } from "../../lib/text";
import { link } from "../../lib/url";
import { now, services } from "../../live/store";
import { A, Age, Panel, Time } from "../../parts/basic";
import { Tag } from "../../parts/state";
import { Acts } from "./acts";
import { BeatText } from "./columns";
import { History } from "./history";
import { known } from "./known";
import { condition, lastBeat } from "./list";
import { Long } from "./long";
import { Says } from "./says";

export const Detail: Component<{ id: string; close: string }> = (props) => {
  const registry = known(() => props.id);
  // The watch tells of a change before anybody looks again.
  const listed = createMemo(() => services().find((service) => service.service_id === props.id));
  const name = () => listed()?.name ?? registry.data()?.service.name ?? props.id;
  return (
    <Panel
      title={line(name(), 60)}
      source={{ at: registry.at, error: () => (registry.unknown() ? undefined : registry.error()) }}
      class="detail"
      actions={
        <A href={props.close} class="close" aria-label="Close">
          ✕
        </A>
      }
    >
      <Show when={registry.unknown()}>
        <p class="empty">
          The registry knows no service <code>{line(props.id, 100)}</code>. What is gone is remembered for a day.
        </p>
      </Show>
      <Show when={registry.data()} fallback={<Show when={!registry.error()}>Looking…</Show>}>
        {(detail) => <Told detail={detail()} listed={listed()} at={registry.at() ?? 0} />}
      </Show>
    </Panel>
  );
};

const Told: Component<{ detail: ServiceDetail; listed: Service | undefined; at: number }> = (props) => {
  const service = () => props.detail.service;
  // What the watch says is newer, but for what it says nothing of.
  const current = (): Service => props.listed ?? service();
  const gone = () => props.detail.deregistered;
  return (
    <>
      <Show when={gone()} fallback={<State service={current()} />}>
        {(end) => (
          <div class="tombstone" role="status">
            <Tag state="down">gone</Tag>
            <p class="wrap">
              Off the list since <Time at={end().ts} /> (<Age at={end().ts} />)
              {end().reason ? `: ${line(end().reason ?? "", 500)}` : "; nobody said why"}. Below is how it was at its
              end.
            </p>
          </div>
        )}
      </Show>
      <Show when={service().labels.description}>{(text) => <Long text={text()} />}</Show>
      <Show when={!gone()}>
        <Acts service={current()} />
      </Show>
      <Voices view={service()} elapsed_ms={gone() ? 0 : now() - props.at} gone={gone() !== null} />
      <Figures view={service()} />
      <Says view={service()} />
      <h3>History</h3>
      <History detail={props.detail} />
    </>
  );
};

const State: Component<{ service: Service }> = (props) => {
  const it = () => condition(props.service);
  return (
    <div>
      <Tag state={it().state}>{it().word}</Tag>
      <Show when={it().why !== ""}>
        <div>
          <Long text={it().why} />
        </div>
      </Show>
    </div>
  );
};

/** Three say how it is, and the worst of them counts. */
const Voices: Component<{ view: ServiceView; elapsed_ms: number; gone: boolean }> = (props) => {
  const probe = () => props.view.probe;
  return (
    <>
      <h3>Three voices, of which the worst counts</h3>
      <dl class="kv">
        <dt>Its own word</dt>
        <dd>
          <Tag state={props.view.reported_status}>{props.view.reported_status}</Tag>{" "}
          <Reason reasons={props.view.status_reasons} voice="says" />
        </dd>
        <dt>Its beats</dt>
        <dd>
          <Show when={!props.gone} fallback={<Age at={props.view.last_heartbeat_ts} />}>
            <BeatText beat={lastBeat(props.view, props.elapsed_ms)} />
          </Show>
          <span class="muted">
            {" "}
            {lastBeat(props.view, props.elapsed_ms).what}, missed when none came for {props.view.ttl_s} s
          </span>
        </dd>
        <dt>Its probe</dt>
        <dd>
          <Tag state={PROBED[probe().reachability]}>{probe().reachability}</Tag>{" "}
          <span class="muted">
            {probe().latency_ms === undefined ? "" : `in ${duration(probe().latency_ms)}`}
            {probe().reachability === "unprobed" ? "never answered one, and never promised to" : ""}
          </span>
          <Show when={probe().reason}>{(text) => <Long text={text()} />}</Show>
        </dd>
      </dl>
    </>
  );
};

/** Why a voice says so; it stays opened when the next look brings the same. */
const Reason: Component<{ reasons: string[]; voice: string }> = (props) => {
  const text = () => props.reasons.find((it) => it.startsWith(`${props.voice}: `))?.slice(props.voice.length + 2);
  return <Show when={text()}>{(text) => <Long text={text()} />}</Show>;
};

const PROBED = { reachable: "ok", unreachable: "down", unprobed: "unknown" } as const;

const Figures: Component<{ view: ServiceView }> = (props) => {
  const work = () => props.view.work;
  return (
    <>
      <h3>Figures</h3>
      <dl class="kv num">
        <dt>Latency, p95</dt>
        <dd>{duration(props.view.p95_ms)}</dd>
        <dt>Waiting calls</dt>
        <dd>{count(props.view.queue_depth)}</dd>
        <dt>Load</dt>
        <dd>{percent(props.view.load)}</dd>
        <Show when={work()}>
          {(it) => (
            <>
              <dt>Work</dt>
              <dd>
                {line(it().activity ?? "–", 40)}, {percent(it().progress)} done
                <Show when={it().run_id}>{(run) => <span class="wrap">, run {line(run(), 80)}</span>}</Show>
              </dd>
              <Show when={it().current_call}>
                {(call) => (
                  <>
                    <dt>Call under way</dt>
                    <dd>
                      <A href={link("/receipts", call())}>{line(call(), 80)}</A>
                    </dd>
                  </>
                )}
              </Show>
              <Show when={it().token_usage}>
                {(tokens) => (
                  <>
                    <dt>Context</dt>
                    <dd>
                      {count(tokens().ctx_used)} of {count(tokens().ctx_limit)} tokens
                    </dd>
                  </>
                )}
              </Show>
              <Show when={it().resources}>
                {(used) => (
                  <>
                    <dt>Uses</dt>
                    <dd>
                      {used().cpu} CPU, {count(used().mem_mb)} MB
                    </dd>
                  </>
                )}
              </Show>
            </>
          )}
        </Show>
      </dl>
      <div class="filters links">
        <Show
          when={props.view.type === "agent"}
          fallback={
            <>
              <A href={`/receipts?service=${encodeURIComponent(props.view.name)}`}>Receipts</A>
              <A href="/costs?by=service">Spend by service</A>
            </>
          }
        >
          <A href={link("/tree", props.view.service_id)}>In the tree</A>
          <A href={`/receipts?agent=${encodeURIComponent(props.view.name)}`}>Receipts</A>
          <A href="/costs?by=agent">Spend by agent</A>
        </Show>
        <A href={`/alerts?acked=any&service=${encodeURIComponent(props.view.service_id)}`}>Alerts</A>
      </div>
    </>
  );
};
