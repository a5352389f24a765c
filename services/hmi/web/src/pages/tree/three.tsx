// Three truths side by side: what it says, what the registry says, what the probe says.

import { type Component, For, Show } from "solid-js";
import type { ServiceDetail } from "../../api/types";
import { ago, duration } from "../../lib/format";
import { line } from "../../lib/text";
import type { Source } from "../../live/source";
import { now } from "../../live/store";
import type { Agent } from "../../live/swarm";
import { Age } from "../../parts/basic";
import { Tag } from "../../parts/state";
import { disagreements, truthsOf } from "./truths";

export const Three: Component<{ agent: Agent; detail: Source<ServiceDetail> }> = (props) => {
  const view = () => props.detail.data()?.service;
  const apart = () => disagreements(truthsOf(props.agent, view()));
  return (
    <section aria-label="Three truths">
      <h3>
        Three truths{" "}
        <Show when={apart().length > 0}>
          <span class="badge s-stuck">desync</span>
        </Show>
      </h3>
      <ul class="apart">
        <For each={apart()}>{(it) => <li>{it}</li>}</For>
      </ul>
      <div class="three">
        <Says agent={props.agent} />
        <Registry agent={props.agent} detail={props.detail} />
        <Probe detail={props.detail} listed={props.agent.service !== undefined} />
      </div>
    </section>
  );
};

const Says: Component<{ agent: Agent }> = (props) => (
  <div>
    <h4>It says</h4>
    <Show when={props.agent.beat} fallback={<p class="muted">No beat heard yet.</p>}>
      {(beat) => (
        <p>
          <Tag state={beat().status} /> <Age at={beat().ts} />
        </p>
      )}
    </Show>
    <Show when={props.agent.said}>
      {(said) => (
        <p class="wrap">
          {line(said().event, 60)} <Age at={said().ts} />
          <Show when={said().message}>{(message) => <span class="muted"> {line(message(), 160)}</span>}</Show>
        </p>
      )}
    </Show>
  </div>
);

const Registry: Component<{ agent: Agent; detail: Source<ServiceDetail> }> = (props) => {
  const view = () => props.detail.data()?.service;
  // As old as it was when it was told, and what has gone by since.
  const beatAge = (): number | undefined => {
    const [known, at] = [view(), props.detail.at()];
    return known && at !== undefined ? known.last_heartbeat_age_ms + Math.max(0, now() - at) : undefined;
  };
  return (
    <div>
      <h4>The registry says</h4>
      <Show when={props.agent.service} fallback={<p class="muted">It is not registered.</p>}>
        {(service) => (
          <>
            <p>
              <Tag state={service().status} />{" "}
              <Show when={service().paused}>
                <Tag state="paused" />
              </Show>
            </p>
            <For each={service().status_reasons}>{(reason) => <p class="wrap muted">{line(reason, 200)}</p>}</For>
            <Show
              when={view()}
              fallback={<p class="muted">{props.detail.error() === undefined ? "Loading…" : "More is not known."}</p>}
            >
              {(view) => (
                <p class="muted">
                  Last beat {ago(beatAge() ?? 0)}, {view().missed_beats} missed.
                  <br />
                  Due every {view().heartbeat_interval_s} s.
                </p>
              )}
            </Show>
          </>
        )}
      </Show>
    </div>
  );
};

const Probe: Component<{ detail: Source<ServiceDetail>; listed: boolean }> = (props) => (
  <div>
    <h4>The probe says</h4>
    <Show when={props.listed ? props.detail.data()?.service.probe : undefined} fallback={<p class="muted">–</p>}>
      {(probe) => (
        <>
          <p>
            <Tag
              state={
                probe().reachability === "reachable"
                  ? "ok"
                  : probe().reachability === "unreachable"
                    ? "down"
                    : "unknown"
              }
            >
              {probe().reachability}
            </Tag>
          </p>
          <Show when={probe().latency_ms !== undefined}>
            <p class="muted">answered in {duration(probe().latency_ms)}</p>
          </Show>
          <Show when={probe().reason}>{(reason) => <p class="wrap muted">{line(reason(), 200)}</p>}</Show>
          <Show when={probe().reachability === "unprobed" && props.detail.data()?.service.url === null}>
            <p class="muted">It has no address to probe.</p>
          </Show>
        </>
      )}
    </Show>
  </div>
);
