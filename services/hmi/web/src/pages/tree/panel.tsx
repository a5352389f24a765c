// The side panel: everything of the one that is chosen.

import { type Component, type JSX, Match, Show, Switch, createEffect, createMemo, on, onCleanup } from "solid-js";
import { get, query } from "../../api/client";
import type { ReceiptPage, Service, ServiceDetail } from "../../api/types";
import { count, duration, percent, usd } from "../../lib/format";
import { line } from "../../lib/text";
import { link } from "../../lib/url";
import { pause, resume } from "../../acts/actions";
import { gently, loaded } from "../../live/loaded";
import type { Source } from "../../live/source";
import { ctxRatio } from "../../live/state";
import { agent, everyTick, onEvent, queue, services } from "../../live/store";
import type { Agent } from "../../live/swarm";
import { A, Age, Clip, Meter, Panel } from "../../parts/basic";
import { Tag } from "../../parts/state";
import { Acts } from "./acts";
import { Calls, History, Receipts, Spending } from "./details";
import type { TreeNode } from "./forest";
import type { Model } from "./model";
import { hrefOf } from "./place";
import { createSpending } from "./spending";
import { Three } from "./three";

const RECEIPTS = 8;

export const Side: Component<{ model: Model; id: string; actions: JSX.Element }> = (props) => {
  const node = () => props.model.forest().nodes.get(props.id);
  const registered = () => {
    const kind = node()?.kind;
    return kind !== "swarm" && kind !== "group" && !props.id.startsWith("name:") && !props.id.startsWith("group:");
  };
  const detail = loaded(
    () => (registered() ? `/api/registry/services/${encodeURIComponent(props.id)}` : undefined),
    (path, signal) => get<ServiceDetail>(path, signal),
  );
  const look = gently(detail.look);
  // Beats and probes are told by no event.
  createEffect(on(everyTick, () => node() && detail.look(), { defer: true }));
  onCleanup(onEvent((event) => event.service_id === props.id && event.event_type !== "heartbeat" && look()));
  const title = () => node()?.name ?? line(detail.data()?.service.name ?? props.id, 60);
  return (
    <Panel title={title()} source={detail} class="tree-side" actions={<Close />}>
      <div class="tree-body">
        <Show when={node()} fallback={<Gone detail={detail.data()} error={detail.error()} id={props.id} />}>
          {(node) => (
            <>
              <Head model={props.model} node={node()} />
              <div class="acts">{props.actions}</div>
              <Switch>
                <Match when={node().kind === "swarm"}>
                  <Whole />
                </Match>
                <Match when={node().kind === "agent" && agent(node().key)}>
                  {(agent) => <OfAgent node={node()} agent={agent()} detail={detail} />}
                </Match>
                <Match when={services().find((service) => service.service_id === node().key)}>
                  {(service) => <OfService node={node()} service={service()} />}
                </Match>
              </Switch>
            </>
          )}
        </Show>
        <Show when={detail.data()}>{(known) => <History history={known().history} />}</Show>
      </div>
    </Panel>
  );
};

const Close: Component = () => (
  <A href={hrefOf()} class="close" aria-label="Leave the selection (Esc)" title="Leave the selection (Esc)">
    ✕
  </A>
);

const Head: Component<{ model: Model; node: TreeNode }> = (props) => {
  const look = () => props.model.look(props.node);
  const why = () =>
    queue().find(({ id }) => id === `agent:${props.node.key}` || id === `service:${props.node.key}`)?.why;
  const parent = () => props.node.parent;
  const aside = () => {
    const { state, note } = look();
    const rest = note === state ? [] : [note.startsWith(`${state} · `) ? note.slice(state.length + 3) : note];
    return [...(props.node.kind === "group" ? [] : [props.node.kind]), ...rest].join(" · ");
  };
  return (
    <div>
      <p>
        <Tag state={look().state} /> <span class="muted">{aside()}</span>
      </p>
      <Show when={why()}>{(why) => <p class="wrap">{line(why(), 300)}</p>}</Show>
      <Show when={parent()}>
        {(parent) => (
          <p class="muted">
            under <A href={hrefOf(parent().key)}>{parent().name}</A>
            <Show when={props.node.orphan}>
              {(named) => <> (it names {named()}, which is not there or is below it)</>}
            </Show>
          </p>
        )}
      </Show>
    </div>
  );
};

const Whole: Component = () => (
  <div class="acts">
    <button type="button" onClick={() => void pause({ all: true })}>
      Pause all
    </button>
    <button type="button" onClick={() => void resume({ all: true })}>
      Resume all
    </button>
  </div>
);

const OfAgent: Component<{ node: TreeNode; agent: Agent; detail: Source<ServiceDetail> }> = (props) => {
  const name = createMemo(() => props.agent.name);
  const receipts = loaded(name, (agent, signal) =>
    get<ReceiptPage>(`/api/gateway/receipts${query({ agent, limit: RECEIPTS })}`, signal),
  );
  const look = gently(receipts.look);
  onCleanup(onEvent((event) => event.event_type === "receipt" && event.agent === name() && look()));
  const spending = createSpending(() => props.node);
  const usage = () => props.agent.beat?.token_usage;
  const resources = () => props.agent.beat?.resources;
  return (
    <>
      <Acts node={props.node} name={name()} paused={props.agent.service?.paused} />
      <section>
        <h3>Context</h3>
        <Show when={usage()} fallback={<p class="muted">It says nothing of it.</p>}>
          {(usage) => (
            <>
              <Meter ratio={ctxRatio(props.agent)} label="Context used" />
              <p class="num">
                {percent(ctxRatio(props.agent))}{" "}
                <span class="muted">
                  · {count(usage().ctx_used)} of {count(usage().ctx_limit)} tokens
                </span>
              </p>
            </>
          )}
        </Show>
      </section>
      <Calls calls={props.agent.calls} />
      <section>
        <h3>Work</h3>
        <dl class="kv">
          <dt>Progress</dt>
          <dd>
            {percent(props.agent.beat?.progress)}{" "}
            <Show when={props.agent.moved_at}>
              <span class="muted">
                moved <Age at={props.agent.moved_at} />
              </span>
            </Show>
          </dd>
          <Show when={props.agent.beat?.run_id}>
            {(run) => (
              <>
                <dt>Run</dt>
                <dd class="mono">{line(run(), 80)}</dd>
              </>
            )}
          </Show>
          <dt>CPU</dt>
          <dd class="num">{resources() ? `${count((resources()?.cpu ?? 0) * 100)} %` : "–"}</dd>
          <dt>Memory</dt>
          <dd class="num">{resources() ? `${count(resources()?.mem_mb)} MB` : "–"}</dd>
        </dl>
      </section>
      <Spending {...spending()} />
      <Three agent={props.agent} detail={props.detail} />
      <Receipts source={receipts} more={`/receipts${query({ agent: name() })}`} />
    </>
  );
};

const OfService: Component<{ node: TreeNode; service: Service }> = (props) => (
  <>
    <Show when={props.service.type !== "service"}>
      <Acts node={props.node} name={props.service.name} paused={props.service.paused} />
    </Show>
    <section>
      <h3>What it is</h3>
      <dl class="kv">
        <dt>Capabilities</dt>
        <dd class="wrap">{line(props.service.caps.join(", "), 400) || "–"}</dd>
        <dt>Role</dt>
        <dd>{props.service.role}</dd>
        <dt>Address</dt>
        <dd>{props.service.url === null ? "–" : <Clip text={props.service.url} />}</dd>
        <dt>Context</dt>
        <dd class="num">{count(props.service.ctx_limit)} tokens</dd>
        <dt>Latency (p95)</dt>
        <dd class="num">{duration(props.service.p95_ms)}</dd>
        <dt>Load</dt>
        <dd class="num">{percent(props.service.load)}</dd>
        <dt>Queue</dt>
        <dd class="num">{count(props.service.queue_depth)}</dd>
        <Show when={props.service.cost_hint_usd_per_1k !== null}>
          <dt>Cost hint</dt>
          <dd class="num">{usd(props.service.cost_hint_usd_per_1k)} per 1,000 tokens</dd>
        </Show>
      </dl>
    </section>
    <p>
      <A href={link("/services", props.service.service_id)}>All of it in the registry</A>
    </p>
  </>
);

/** Whoever is chosen may be gone by now. */
const Gone: Component<{ detail: ServiceDetail | undefined; error: string | undefined; id: string }> = (props) => (
  <p class="wrap">
    <Show
      when={props.detail?.deregistered}
      fallback={props.error === undefined ? "Looking for it…" : line(props.error, 300)}
    >
      {(gone) => (
        <>
          It is off the list since <Age at={gone().ts} />
          <Show when={gone().reason}>{(reason) => <>: {line(reason(), 200)}</>}</Show>.
        </>
      )}
    </Show>
  </p>
);
