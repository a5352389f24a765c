// One alert: what it means, what to do, and the records behind it.

import { type Component, For, Show, createEffect, createMemo, createSignal, on, onCleanup } from "solid-js";
import type { Alert } from "../../api/types";
import { curlPost } from "../../lib/curl";
import { line } from "../../lib/text";
import { link } from "../../lib/url";
import { acknowledgeAlerts } from "../../acts/actions";
import { alerts, hello, now, services } from "../../live/store";
import { A, Age, Copy, Panel, Time } from "../../parts/basic";
import { Tag } from "../../parts/state";
import { History } from "../services/history";
import { known } from "../services/known";
import { Long } from "../services/long";
import { find } from "./feed";
import { kindOf } from "./kinds";
import { askMute } from "./mute";
import { mutedUntil } from "./mutes";

export const Detail: Component<{ id: string; shown: Alert[]; close: string }> = (props) => {
  const [found, setFound] = createSignal<Alert>();
  const [trouble, setTrouble] = createSignal<string>();
  const there = createMemo(() => {
    const is = (alert: Alert) => alert.alert_id === props.id;
    // What is known from elsewhere may be newer: somebody may have taken note of it.
    const all = [props.shown.find(is), alerts().find(is), [found()].find((alert) => alert && is(alert))];
    return all.find((alert) => alert?.acked) ?? all.find((alert) => alert);
  });
  createEffect(
    on(
      () => props.id,
      (id) => {
        setTrouble(undefined);
        if (there()) return;
        const looking = new AbortController();
        find(id, looking.signal).then(
          (alert) =>
            alert
              ? setFound(alert)
              : setTrouble("It is not among the monitor's newest 20,000 alerts; old ones are forgotten."),
          (reason) => looking.signal.aborted || setTrouble((reason as Error).message),
        );
        onCleanup(() => looking.abort());
      },
    ),
  );
  return (
    <Panel
      title={there() ? kindOf(there()?.alert_type ?? "").title : "Alert"}
      class="detail"
      actions={
        <A href={props.close} class="close" aria-label="Close">
          ✕
        </A>
      }
    >
      <Show when={there()} fallback={<p class="muted">{trouble() ? line(trouble() ?? "", 300) : "Looking…"}</p>}>
        {(alert) => <Told alert={alert()} shown={props.shown} />}
      </Show>
    </Panel>
  );
};

const Told: Component<{ alert: Alert; shown: Alert[] }> = (props) => {
  const kind = () => kindOf(props.alert.alert_type);
  const alike = () => props.shown.filter((alert) => !alert.acked && alert.alert_type === props.alert.alert_type);
  const service = () => props.alert.service_id ?? props.alert.service_name;
  const command = () =>
    curlPost(`${hello()?.urls.heartbeat_monitor ?? ""}/alerts/${props.alert.alert_id}/ack`, { reason: "say why" });
  return (
    <>
      <div class="filters">
        <Tag state={props.alert.severity}>{props.alert.severity}</Tag>
        <Show when={props.alert.acked}>
          <Tag state="done">acknowledged</Tag>
        </Show>
        <Show when={mutedUntil(props.alert, now())}>
          {(until) => (
            <Tag state="paused">
              muted until <Time at={until()} />
            </Tag>
          )}
        </Show>
      </div>
      <div class="message">
        <Long text={props.alert.message ?? `${props.alert.service_name}: ${kind().title}`} />
      </div>
      <p class="wrap">{kind().means}</p>
      <p class="wrap">
        <strong>What to do:</strong> {kind().todo}
      </p>
      <div class="filters">
        <Show when={!props.alert.acked}>
          <button
            type="button"
            class="primary"
            onClick={() => void acknowledgeAlerts([props.alert.alert_id], "this alert")}
          >
            Acknowledge
          </button>
        </Show>
        <Show when={alike().length > 1}>
          <button
            type="button"
            onClick={() =>
              void acknowledgeAlerts(
                alike().map((alert) => alert.alert_id),
                `all ${alike().length} shown of “${kind().title}”`,
              )
            }
          >
            Acknowledge all {alike().length} of this kind
          </button>
        </Show>
        <button type="button" onClick={() => askMute({ service: service(), type: props.alert.alert_type })}>
          Mute…
        </button>
      </div>
      <Records alert={props.alert} />
      <details>
        <summary>Acknowledge from a shell</summary>
        <code class="wrap">{command()}</code> <Copy text={command()} show={false} what="the command" />
      </details>
      <Show when={props.alert.service_id} fallback={<p class="muted">It is about nothing that the registry lists.</p>}>
        {(id) => <Behind id={id()} />}
      </Show>
    </>
  );
};

const Records: Component<{ alert: Alert }> = (props) => {
  const details = () => Object.entries(props.alert.details ?? {});
  const listed = createMemo(() => services().find((service) => service.service_id === props.alert.service_id));
  return (
    <dl class="kv">
      <dt>About</dt>
      <dd>
        <Show when={props.alert.service_id} fallback={line(props.alert.service_name, 200)}>
          {(id) => <A href={link("/services", id())}>{line(props.alert.service_name, 200)}</A>}
        </Show>
        <Show when={listed()?.type === "agent"}>
          {" "}
          (<A href={link("/tree", props.alert.service_id ?? "")}>in the tree</A>)
        </Show>
      </dd>
      <dt>When</dt>
      <dd>
        <Time at={props.alert.ts} /> · <Age at={props.alert.ts} />
      </dd>
      <dt>Done about it</dt>
      <dd>{props.alert.action === "none" ? "nothing" : props.alert.action.replaceAll("_", " ")}</dd>
      <Show when={props.alert.missed_beats > 0}>
        <dt>Missed beats</dt>
        <dd class="num">{props.alert.missed_beats}</dd>
      </Show>
      <Show when={props.alert.last_seen}>
        {(seen) => (
          <>
            <dt>Last seen</dt>
            <dd>
              <Time at={seen()} /> · <Age at={seen()} />
            </dd>
          </>
        )}
      </Show>
      <For each={details()}>
        {([key, value]) => (
          <>
            <dt class="clip label" title={line(key, 200)}>
              {line(key.replaceAll("_", " "), 60)}
            </dt>
            <dd>
              <Long text={typeof value === "string" ? value : JSON.stringify(value)} />
            </dd>
          </>
        )}
      </For>
      <dt>Id</dt>
      <dd>
        <Copy text={props.alert.alert_id} />
      </dd>
      <dt>More</dt>
      <dd>
        <A href={`/alerts?acked=any&service=${encodeURIComponent(props.alert.service_id ?? props.alert.service_name)}`}>
          All alerts about it
        </A>
      </dd>
    </dl>
  );
};

/** What the registry remembers of whom it is about. */
const Behind: Component<{ id: string }> = (props) => {
  const registry = known(() => props.id);
  return (
    <>
      <h3>What happened to it</h3>
      <Show when={registry.error()}>{(error) => <p class="muted">{line(error(), 300)}</p>}</Show>
      <Show when={registry.data()}>
        {(detail) => (
          <>
            <Show when={detail().deregistered}>
              {(end) => (
                <p class="wrap">
                  <Tag state="down">gone</Tag> since <Time at={end().ts} />
                  {end().reason ? `: ${line(end().reason ?? "", 300)}` : ""}
                </p>
              )}
            </Show>
            <History detail={detail()} />
          </>
        )}
      </Show>
    </>
  );
};
