// Who was tried, in order: each a bar in the time of the call.

import { type Component, For, Show } from "solid-js";
import type { Attempt, Receipt } from "../../api/types";
import { duration } from "../../lib/format";
import { line } from "../../lib/text";
import { Money } from "../../parts/basic";
import { Tag } from "../../parts/state";
import { type Kind, type Lane, place, timeBar } from "./timebar";
import { outcomeState } from "./words";

const WORDS: Record<Kind, string> = {
  discovery: "choosing",
  queue: "waiting for a place",
  connect: "connecting",
  waiting: "until the first byte",
  answering: "answering",
  attempt: "no first byte",
  rest: "the gateway itself, and pauses between attempts",
};

export const Attempts: Component<{ receipt: Receipt }> = (props) => {
  const bar = () => timeBar(props.receipt);
  const first = () => props.receipt.timings_ms.first_token;
  return (
    <section class="part" aria-label="Attempts">
      <h3>
        Who was tried <span class="muted">in {duration(props.receipt.timings_ms.total)}</span>
      </h3>
      <div class="bars">
        <LaneRow lane={bar().gateway} total={bar().total} />
        <For each={bar().attempts}>{(lane) => <LaneRow lane={lane} total={bar().total} />}</For>
      </div>
      <Show when={bar().attempts.length === 0}>
        <p class="muted">Nobody was asked.</p>
      </Show>
      <Show when={first() !== undefined}>
        <p class="muted">The first token came after {duration(first())}.</p>
      </Show>
      <Show when={bar().attempts.length > 1}>
        <p class="muted">
          Attempts are drawn one behind the other; when each began, between pauses, is not on the receipt.
        </p>
      </Show>
    </section>
  );
};

const LaneRow: Component<{ lane: Lane; total: number }> = (props) => (
  <div class="lane">
    <div class="lane-head">
      <Show when={props.lane.attempt} fallback={<span class="muted">the gateway</span>}>
        {(attempt) => <Who attempt={attempt()} />}
      </Show>
    </div>
    <div class="lane-bar" aria-hidden="true">
      <For each={props.lane.parts}>
        {(part) => (
          <span
            class={`k-${part.kind}`}
            style={place(part, props.total)}
            title={`${WORDS[part.kind]}: ${duration(part.to - part.from)}`}
          />
        )}
      </For>
    </div>
    <p class="muted lane-words">
      <For each={props.lane.parts}>
        {(part, index) => (
          <>
            <Show when={index() > 0}> · </Show>
            <span class={`swatch k-${part.kind}`} aria-hidden="true" />
            {WORDS[part.kind]} {duration(part.to - part.from)}
          </>
        )}
      </For>
      <Show when={props.lane.parts.length === 0}>no time that was measured</Show>
    </p>
    <Show when={props.lane.attempt?.error}>{(error) => <p class="wrap said">{line(error(), 600)}</p>}</Show>
  </div>
);

const Who: Component<{ attempt: Attempt }> = (props) => (
  <>
    <Tag state={outcomeState(props.attempt.outcome)}>{line(props.attempt.outcome.replaceAll("_", " "), 40)}</Tag>
    <span class="clip" title={line(`${props.attempt.model} by ${props.attempt.name}`, 400)}>
      {line(props.attempt.name, 80)}
      <Show when={props.attempt.model !== props.attempt.name}>
        <span class="muted"> {line(props.attempt.model, 80)}</span>
      </Show>
    </span>
    <span class="space" />
    <Show when={props.attempt.http_status !== undefined}>
      <span class="muted num">HTTP {props.attempt.http_status}</span>
    </Show>
    <Show when={props.attempt.cost}>
      {(cost) => <Money usd={cost().usd} estimated={cost().state === "estimated"} />}
    </Show>
    <span class="num">{duration(props.attempt.timings_ms.total)}</span>
  </>
);
