// What happens, as it happens; beats are left out.

import { type Component, For, Show } from "solid-js";
import { heard, hello, tail } from "../../live/store";
import { line } from "../../lib/text";
import { A, Copy, Empty, Panel, Time } from "../../parts/basic";
import { Mark } from "../../parts/state";
import { describe } from "./describe";

const SHOWN = 30;

export const Tail: Component = () => (
  <Panel
    title="Events"
    source={heard}
    flush
    actions={<Copy text={`curl -sN ${hello()?.events_url ?? ""}/events/stream`} label="Copy as curl" show={false} />}
  >
    <Show when={tail(1).length > 0} fallback={<Empty>Nothing has happened since this page was opened.</Empty>}>
      <ol class="tail" tabindex="0" aria-label="Events, the newest first">
        <For each={tail(SHOWN)}>
          {(event) => {
            const it = describe(event);
            return (
              <li>
                <Time at={event.ts} />
                <Mark state={it.state} />
                <A href={it.href} class="clip">
                  {line(it.who, 40)}
                </A>
                <span class="clip" title={line(it.text, 500)}>
                  {line(it.text, 160)}
                </span>
              </li>
            );
          }}
        </For>
      </ol>
    </Show>
  </Panel>
);
