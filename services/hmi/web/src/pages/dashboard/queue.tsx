// What needs a human, the worst first: who, what, why, since when, what it has cost, and what can be done about it.

import { type Component, For, Show, createMemo } from "solid-js";
import { acknowledgeAlerts, cancelCall, pause, resume } from "../../acts/actions";
import type { Item } from "../../live/attention";
import { agentKeys, list, now, queue, sources } from "../../live/store";
import { clock } from "../../lib/format";
import { same } from "../../lib/group";
import { line } from "../../lib/text";
import { A, Empty, Panel, Spend } from "../../parts/basic";
import { Mark } from "../../parts/state";

/** More than a person looks at. */
const SHOWN = 8;

export const Queue: Component = () => {
  const items = createMemo(() => new Map(queue().map((item) => [item.id, item])));
  // By id: what stays keeps its buttons, and the focus.
  const shown = createMemo(() => [...items().keys()].slice(0, SHOWN), [], { equals: same });
  return (
    <Panel title="Needs a look" class="first" source={list} flush actions={<A href="/alerts">All alerts</A>}>
      <Show when={queue().length > 0} fallback={<Empty>{agentKeys().length > 0 ? "Nothing: all is as it should be." : "Nothing yet."}</Empty>}>
        <ol class="queue">
          <For each={shown()}>{(id) => <Show when={items().get(id)}>{(item) => <Entry item={item()} />}</Show>}</For>
        </ol>
        <Show when={queue().length > SHOWN}>
          <p class="empty">and {queue().length - SHOWN} more of less weight</p>
        </Show>
      </Show>
    </Panel>
  );
};

const Entry: Component<{ item: Item }> = (props) => (
  <li class={`s-${props.item.level}`}>
    <Mark state={props.item.level} />
    <div class="said">
      <p>
        <A href={props.item.href} class="who clip">
          {line(props.item.name, 60)}
        </A>{" "}
        <strong>{props.item.what}</strong>
        <Show when={props.item.since}>{(since) => <span class="muted num"> · since {clock(since(), now())}</span>}</Show>
        <Show when={props.item.kind === "agent" && sources.byAgent.data()}>
          <span class="muted">
            {" · "}
            <Show when={props.item.spend} fallback="none of its calls has ended yet, nothing is spent">
              {(row) => (
                <>
                  has spent <Spend row={row()} /> in all
                </>
              )}
            </Show>
          </span>
        </Show>
      </p>
      <p class="why wrap">{line(props.item.why, 240)}</p>
    </div>
    <Acts item={props.item} />
  </li>
);

const Acts: Component<{ item: Item }> = (props) => {
  const key = () => (props.item.kind === "agent" ? props.item.id.slice("agent:".length) : undefined);
  const registered = () => key() !== undefined && !key()!.startsWith("name:");
  const whom = () => ({ service_id: key()!, name: props.item.name });
  return (
    <div class="acts">
      <Show when={props.item.run_id}>
        {(run_id) => (
          <button type="button" title="Ends the call; its agent is told" onClick={() => void cancelCall(run_id())}>
            Cancel call
          </button>
        )}
      </Show>
      <Show when={registered()}>
        <Show
          when={props.item.what === "is paused"}
          fallback={
            <button type="button" title="Its calls are refused until it is resumed" onClick={() => void pause(whom())}>
              Pause
            </button>
          }
        >
          <button type="button" onClick={() => void resume(whom())}>
            Resume
          </button>
        </Show>
      </Show>
      <Show when={props.item.alerts.length > 0}>
        <button type="button" onClick={() => void acknowledgeAlerts(props.item.alerts, `${props.item.name} ${props.item.what}`)}>
          Acknowledge
        </button>
      </Show>
    </div>
  );
};
