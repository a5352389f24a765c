// What has come of a request so far.

import { type Component, For, Show, createMemo } from "solid-js";
import { duration } from "../../lib/format";
import { block, line } from "../../lib/text";
import { now } from "../../live/store";
import { Panel } from "../../parts/basic";
import { type Shown, Tag } from "../../parts/state";
import type { Sent } from "./send";

/** Characters of an answer that are shown. */
const SHOWN = 100_000;

interface Said {
  state: Shown;
  word: string;
}

function said(sent: Sent): Said {
  if (sent.open) return { state: "running", word: sent.answer ? "answering" : "asked" };
  if (sent.cancelled) return { state: "paused", word: sent.cut ? "cut: you broke it off" : "cancelled" };
  if (sent.cut) return { state: "stuck", word: "cut: this is not the whole answer" };
  if (sent.failure !== undefined) return { state: "error", word: "no answer" };
  return { state: "ok", word: "whole" };
}

export const Outcome: Component<{ sent: Sent }> = (props) => {
  const output = createMemo(() => (props.sent.json === undefined ? undefined : outputOf(props.sent.json)));
  const took = () => {
    // The clock moves it on while it is open.
    now();
    return (props.sent.over ?? performance.now()) - props.sent.began;
  };
  return (
    <Panel title="Answer" class="outcome">
      <p class="filters">
        <span class="filters" role="status">
          <Tag state={said(props.sent).state}>{said(props.sent).word}</Tag>
          <Show when={props.sent.status !== undefined && props.sent.status !== 200}>
            <span class="muted num">HTTP {props.sent.status}</span>
          </Show>
        </span>
        {/* It runs on: whoever hears it would hear nothing else. */}
        <span class="muted num">
          {duration(took())}
          {props.sent.first === undefined ? "" : `, first of it after ${duration(props.sent.first - props.sent.began)}`}
        </span>
        <Show when={props.sent.served_by}>
          <span class="muted clip">
            by {line(props.sent.served_by ?? "", 80)}
            {props.sent.model && props.sent.model !== props.sent.served_by ? `, ${line(props.sent.model, 80)}` : ""}
          </span>
        </Show>
      </p>
      <Show when={!props.sent.cancelled && props.sent.failure}>
        {(failure) => <p class="wrong wrap">{line(failure(), 1_000)}</p>}
      </Show>
      <Show when={props.sent.answer}>
        {(answer) => (
          <>
            <Show when={answer().thinking}>
              <details>
                <summary>Thought before</summary>
                <pre class="said-text muted">{block(answer().thinking, SHOWN)}</pre>
              </details>
            </Show>
            <Show when={answer().text !== "" || props.sent.open}>
              <pre class="said-text" classList={{ cut: props.sent.cut }}>
                {block(answer().text, SHOWN)}
                <Show when={props.sent.open}>
                  <span class="caret" aria-hidden="true" />
                </Show>
              </pre>
            </Show>
            <Show when={props.sent.cut && answer().text !== ""}>
              <p class="cut-here">― cut here ―</p>
            </Show>
            <For each={answer().tools}>
              {(tool) => (
                <div>
                  <span class="muted">calls</span> <code>{line(tool.name || "a tool without a name", 100)}</code>
                  <pre class="said-text">{block(tool.arguments, 20_000)}</pre>
                </div>
              )}
            </For>
            <Show when={!props.sent.open && answer().stop}>
              <p class="muted">It stopped because: {line(answer().stop ?? "", 60)}</p>
            </Show>
            <Show when={answer().garbage > 0}>
              <p class="wrong">{answer().garbage} events could not be read.</p>
            </Show>
          </>
        )}
      </Show>
      <Show when={output()}>
        {(output) => (
          <>
            <Show when={output().text !== undefined}>
              <pre class="said-text">{block(output().text ?? "", SHOWN)}</pre>
            </Show>
            <details open={output().text === undefined}>
              <summary>The whole output</summary>
              <pre class="said-text mono">{block(output().json, SHOWN)}</pre>
            </details>
          </>
        )}
      </Show>
    </Panel>
  );
};

function outputOf(json: string): { text?: string; json: string } {
  try {
    const { output } = JSON.parse(json) as { output?: { text?: unknown } | null };
    const text = typeof output?.text === "string" ? output.text : undefined;
    return { text, json: JSON.stringify(output ?? null, null, 2) };
  } catch {
    return { json };
  }
}
