// A card for each agent. Only those that can be seen are there.

import { type Component, For, Show, createMemo, createSignal, onCleanup, onMount } from "solid-js";
import { agent, agentKeys, agents, hello, list, now } from "../../live/store";
import { type State, ctxRatio, ofAgent } from "../../live/state";
import { count, percent } from "../../lib/format";
import { same } from "../../lib/group";
import { line } from "../../lib/text";
import { link, param, setParams } from "../../lib/url";
import { A, Age, Empty, Meter, Panel, Spend } from "../../parts/basic";
import { Mark, Tag } from "../../parts/state";

const CARD = { width: 236, height: 152, gap: 10 };
const BEYOND = 1;

/** In which order states are offered as filters: what is wrong first. */
const ORDER: State[] = ["down", "error", "stuck", "degraded", "paused", "waiting", "running", "queued", "ok", "idle", "done", "unknown"];

export const Cards: Component = () => {
  // Once a second for all of them; each card moves on its own.
  const states = createMemo(() => new Map(agents().map((agent) => [agent.key, ofAgent(agent, now())])));
  const counts = createMemo(() => {
    const counted = new Map<State, number>();
    for (const state of states().values()) counted.set(state, (counted.get(state) ?? 0) + 1);
    return counted;
  });
  const offered = createMemo(() => ORDER.filter((state) => counts().has(state)), [], { equals: same });
  const wanted = () => param("state") as State | undefined;
  // By name, but who needs somebody comes first.
  const isBad = (key: string): boolean => ["down", "error", "stuck"].includes(states().get(key) ?? "");
  const keys = createMemo(
    () => {
      const fitting = agentKeys().filter((key) => wanted() === undefined || states().get(key) === wanted());
      return [...fitting.filter(isBad), ...fitting.filter((key) => !isBad(key))];
    },
    [],
    { equals: same },
  );
  return (
    <Panel title={`Agents (${agentKeys().length})`} source={list} actions={<A href="/tree">As a tree</A>}>
      <Show when={agentKeys().length > 0} fallback={<NoAgent />}>
        <div class="filters" role="group" aria-label="Agents by state">
          <For each={offered()}>
            {(state) => (
              <button
                type="button"
                aria-pressed={wanted() === state}
                onClick={() => setParams({ state: wanted() === state ? undefined : state })}
              >
                <Tag state={state} /> <span class="num">{counts().get(state)}</span>
              </button>
            )}
          </For>
        </div>
        <Grid keys={keys()} />
      </Show>
    </Panel>
  );
};

const NoAgent: Component = () => (
  <Empty
    command={`curl -s ${hello()?.urls.registry ?? ""}/register -H 'content-type: application/json' -d '{"name": "Architect", "type": "agent", "role": "coordinator"}'`}
  >
    No agent is registered. One registers like this, and shows up here at once; <code>pas demo</code> shows what many look like.
  </Empty>
);

const Grid: Component<{ keys: string[] }> = (props) => {
  let box!: HTMLDivElement;
  const [seen, setSeen] = createSignal({ columns: 1, first: 0, last: 12 });
  const measure = (): void => {
    const { top, width } = box.getBoundingClientRect();
    const columns = Math.max(1, Math.floor((width + CARD.gap) / (CARD.width + CARD.gap)));
    const row = CARD.height + CARD.gap;
    const first = Math.max(0, Math.floor(-top / row) - BEYOND);
    const last = Math.ceil((innerHeight - top) / row) + BEYOND;
    const before = seen();
    if (before.columns !== columns || before.first !== first || before.last !== last) setSeen({ columns, first, last });
  };
  onMount(() => {
    const sized = new ResizeObserver(measure);
    sized.observe(box);
    sized.observe(document.body);
    addEventListener("scroll", measure, { passive: true });
    onCleanup(() => {
      sized.disconnect();
      removeEventListener("scroll", measure);
    });
  });
  const rows = () => Math.ceil(props.keys.length / seen().columns);
  const shown = createMemo(() => props.keys.slice(seen().first * seen().columns, Math.max(0, seen().last) * seen().columns));
  return (
    <div class="cards" ref={box} style={{ height: `${Math.max(0, rows() * (CARD.height + CARD.gap) - CARD.gap)}px` }}>
      <ul style={{ top: `${seen().first * (CARD.height + CARD.gap)}px`, "grid-template-columns": `repeat(${seen().columns}, minmax(0, 1fr))` }}>
        <For each={shown()}>{(key) => <Card key={key} />}</For>
      </ul>
    </div>
  );
};

const Card: Component<{ key: string }> = (props) => {
  const it = createMemo(() => agent(props.key));
  const state = createMemo(() => {
    const known = it();
    return known ? ofAgent(known, now()) : "unknown";
  });
  return (
    <Show when={it()}>
      {(it) => (
        <li class={`card s-${state()}`}>
          <p class="head">
            <A href={link("/tree", it().key)} class="clip">
              {line(it().name, 60)}
            </A>
            <Tag state={state()} />
          </p>
          <Bar label="Progress" ratio={it().beat?.progress} />
          <div class="pair">
            <span class="muted">Context</span>
            <Meter ratio={ctxRatio(it())} label={`Context of ${line(it().name, 60)}`} />
            <span class="num nowrap">{context(it().beat?.token_usage)}</span>
          </div>
          <p class="pair wide">
            <span class="muted">CPU, memory</span>
            <span class="num clip">
              <Show when={it().beat?.resources} fallback="–">
                {(used) => `${used().cpu.toFixed(2)} cores, ${count(used().mem_mb)} MB`}
              </Show>
            </span>
          </p>
          <p class="pair wide">
            <span class="muted">Spent</span>
            <Spend row={it().spend} />
          </p>
          <p class="pair wide">
            <span class="muted">Last beat</span>
            <Beat key={props.key} />
          </p>
        </li>
      )}
    </Show>
  );
};

const Bar: Component<{ label: string; ratio: number | undefined }> = (props) => (
  <div class="pair">
    <span class="muted">{props.label}</span>
    <div class="meter s-running">
      <span class="used" style={{ width: `${Math.min(props.ratio ?? 0, 1) * 100}%` }} />
    </div>
    <span class="num nowrap">{percent(props.ratio)}</span>
  </div>
);

/** Its last beat, and whether that is as it should be: by the registry, which alone decides who lives. */
const Beat: Component<{ key: string }> = (props) => {
  const it = () => agent(props.key);
  const mark = (): { state: State; label: string } => {
    const service = it()?.service;
    if (!service) return { state: "unknown", label: "not registered: nobody watches its beats" };
    const missing = service.status === "down" || service.status_reasons.some((reason) => reason.includes("beat"));
    return missing ? { state: "down", label: "beats are missing" } : { state: "ok", label: "beats in time" };
  };
  return (
    <span class="nowrap">
      <Mark {...mark()} /> <Age at={it()?.beat?.ts} />
    </span>
  );
};

function context(usage: { ctx_used: number; ctx_limit: number } | undefined): string {
  return usage ? `${thousands(usage.ctx_used)}/${thousands(usage.ctx_limit)}` : "–";
}

function thousands(tokens: number): string {
  return tokens < 1000 ? String(tokens) : `${Math.round(tokens / 1000)}k`;
}

