// Who works for whom: the swarm as a picture and as an outline, with everything of the one that is chosen beside it.

import { type Component, For, Show, createEffect, createMemo, createSignal, on, onCleanup, onMount } from "solid-js";
import { curlPost } from "../../lib/curl";
import { count } from "../../lib/format";
import { isPhone } from "../../lib/media";
import { go, param, setParams } from "../../lib/url";
import { agents, hello, services, sources } from "../../live/store";
import { Empty } from "../../parts/basic";
import { above } from "./forest";
import { type Model, createModel } from "./model";
import { Outline } from "./outline";
import { Side } from "./panel";
import { type Hold, Picture } from "./picture";
import { chosen, closed, close, focused, hrefOf, toggle } from "./place";
import { Search } from "./search-box";
import "./tree.css";

export default function Page() {
  const somebody = createMemo(() => agents().length + services().length > 0);
  return (
    <>
      <div class="page-head">
        <h1>Agent tree</h1>
        <Show when={somebody()}>
          <span class="muted num">{count(agents().length)} agents</span>
        </Show>
      </div>
      <Show when={agents().length === 0 && sources.services.at() !== undefined}>
        <NoAgents />
      </Show>
      <Show
        when={somebody()}
        fallback={
          <Show when={sources.services.at() === undefined}>
            <p class="muted">Loading…</p>
          </Show>
        }
      >
        <Tree />
      </Show>
    </>
  );
}

const NoAgents: Component = () => (
  <div class="panel">
    <Empty
      command={curlPost(`${hello()?.urls.registry ?? "http://127.0.0.1:6121"}/register`, {
        name: "Architect",
        type: "agent",
        role: "coordinator",
      })}
    >
      No agent is registered yet. Whoever registers with the label <code class="tree-inline">parent</code> stands under
      the agent of that name.
    </Empty>
  </div>
);

/** From the page being there with its data to the first picture on the screen: read by whoever measures. */
const FIRST = "tree:first-render";

const Tree: Component = () => {
  performance.mark(`${FIRST}:begin`);
  const model = createModel();
  const [hold, setHold] = createSignal<Hold>();
  const [current, setCurrent] = createSignal<string>();
  const picture = () => (param("picture") ?? (isPhone() ? "off" : "on")) === "on";
  const outline = () => param("outline") !== "off" || !picture();

  // Who is gone to is seen, whatever was closed.
  createEffect(
    on(chosen, (key) => {
      if (key === undefined) return;
      model.reveal(key);
      hold()?.show(key);
    }),
  );
  createEffect(
    on(hold, (held) => {
      const key = current() ?? chosen();
      if (key !== undefined) held?.show(key, { always: current() !== undefined });
    }),
  );
  const visit = (key: string): void => {
    model.reveal(key);
    setCurrent(key);
    hold()?.show(key, { always: true });
  };
  useTreeKeys(model, hold);
  return (
    <>
      <div class="filters">
        <Search found={model.found()} visit={visit} current={current()} open={(key) => go(hrefOf(key))} />
        <span class="tabs" role="group" aria-label="What is shown">
          <button
            type="button"
            aria-pressed={picture()}
            onClick={() => setParams({ picture: picture() ? "off" : "on" })}
          >
            Picture
          </button>
          <button
            type="button"
            aria-pressed={outline()}
            disabled={!picture()}
            onClick={() => setParams({ outline: outline() ? "off" : undefined })}
          >
            Outline
          </button>
        </span>
        <Show when={closed().size > 0}>
          <button type="button" onClick={() => close(new Set())}>
            Open all ({count(closed().size)} closed)
          </button>
        </Show>
      </div>
      <Focus model={model} />
      <div
        class="tree"
        classList={{ "with-outline": outline(), "with-picture": picture(), "with-side": chosen() !== undefined }}
      >
        <Show when={outline()}>
          <Outline model={model} current={current()} />
        </Show>
        <Show when={picture()}>
          <Picture model={model} current={current()} hold={setHold} painted={measured} />
        </Show>
        <Show when={chosen()}>
          {(id) => <Side model={model} id={id()} actions={<View model={model} id={id()} />} />}
        </Show>
      </div>
    </>
  );
};

/** Says how long the first picture took, once what was drawn has been shown. */
function measured(): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    performance.clearMeasures(FIRST);
    performance.measure(FIRST, `${FIRST}:begin`);
    port1.close();
  };
  port2.postMessage(0);
}

/** Whose subtree is looked at, and the way back. */
const Focus: Component<{ model: Model }> = (props) => {
  const top = () => props.model.top();
  const line = () => above(top()).reverse();
  return (
    <Show when={focused()}>
      <nav class="tree-focus" aria-label="Whose subtree is shown">
        <Show
          when={top().kind !== "swarm"}
          fallback={<span class="muted">Whose subtree was shown is not there any more. </span>}
        >
          <For each={line()}>
            {(node) => (
              <>
                <button
                  type="button"
                  class="plain clip"
                  onClick={() => setParams({ focus: node.kind === "swarm" ? undefined : node.key }, { replace: false })}
                >
                  {node.name}
                </button>
                <span aria-hidden="true">›</span>
              </>
            )}
          </For>
          <strong class="clip">{top().name}</strong>
          <span class="muted nowrap">and {count(top().below)} below</span>
        </Show>
        <button type="button" onClick={() => setParams({ focus: undefined }, { replace: false })}>
          Show the whole swarm
        </button>
      </nav>
    </Show>
  );
};

/** How the one that is chosen is shown. */
const View: Component<{ model: Model; id: string }> = (props) => {
  const node = () => props.model.forest().nodes.get(props.id);
  return (
    <Show when={(node()?.children.length ?? 0) > 0}>
      <button type="button" onClick={() => toggle(props.id)}>
        {closed().has(props.id) ? "Open" : "Close"} its branch
      </button>
      <Show when={node()?.kind !== "swarm" && focused() !== props.id}>
        <button type="button" onClick={() => setParams({ focus: props.id }, { replace: false })}>
          Show only its branch
        </button>
      </Show>
    </Show>
  );
};

/** The keys of this page, wherever the focus is. */
function useTreeKeys(model: Model, hold: () => Hold | undefined): void {
  const step = (by: number): void => {
    const rows = model.rows();
    const at = rows.findIndex(({ node }) => node.key === chosen());
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    if (next) go(hrefOf(next.node.key), { replace: at >= 0 });
  };
  const press = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select, dialog")) return;
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const keys: Record<string, () => void> = {
      "+": () => hold()?.zoom(1.3),
      "=": () => hold()?.zoom(1.3),
      "-": () => hold()?.zoom(1 / 1.3),
      "0": () => hold()?.fit(),
      j: () => step(1),
      k: () => step(-1),
      Escape: () => chosen() !== undefined && go(hrefOf()),
    };
    const act = keys[event.key];
    if (!act) return;
    act();
    event.preventDefault();
  };
  onMount(() => addEventListener("keydown", press));
  onCleanup(() => removeEventListener("keydown", press));
}
