// What happened to a service, the newest first.

import { type Component, For, Show, createMemo } from "solid-js";
import type { ServiceDetail, Transition } from "../../api/types";
import { line } from "../../lib/text";
import { Age, Time } from "../../parts/basic";
import { Mark } from "../../parts/state";
import { Long } from "./long";
import { kept, told } from "./transitions";

/** As many as the registry tells of at once. */
const TOLD = 100;

export const History: Component<{ detail: ServiceDetail }> = (props) => {
  const rows = createMemo((before: Transition[]) => kept(before, props.detail.history), []);
  return (
    <Show when={rows().length > 0} fallback={<p class="muted">The registry remembers nothing of it.</p>}>
      <ol class="timeline">
        <For each={rows()}>{(transition) => <Entry transition={transition} />}</For>
      </ol>
      <Show when={rows().length >= TOLD}>
        <p class="muted">These are the newest {TOLD}; what was before isn't told.</p>
      </Show>
    </Show>
  );
};

const Entry: Component<{ transition: Transition }> = (props) => {
  const it = () => told(props.transition);
  return (
    <li>
      <Mark state={it().state} />
      <div class="wrap">
        <span>{line(it().what, 200)}</span>
        <Show when={props.transition.reason}>
          {(reason) => (
            <div class="muted">
              <Long text={reason()} />
            </div>
          )}
        </Show>
      </div>
      <span class="when muted">
        <Time at={props.transition.ts} /> · <Age at={props.transition.ts} />
      </span>
    </li>
  );
};
