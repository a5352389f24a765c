// After a pause or a resume: who has acknowledged it. The registry answers for all at once; each one's own word is its event,
// which everybody who follows the stream has then too.

import { type Accessor, type Component, For, Show, createMemo, createSignal } from "solid-js";
import { type ApiError } from "../api/client";
import type { Service } from "../api/types";
import { line } from "../lib/text";
import { say } from "../parts/dialog";
import { Mark } from "../parts/state";
import { onEvent, services, sources } from "../live/store";
import { type Hearing, hearing } from "./hearing";

interface Waited {
  verb: "pause" | "resume";
  whom: string;
  names: Map<string, string>;
  heard: Accessor<ReadonlySet<string>>;
}

/** More of them are counted, and not listed. */
const LISTED = 200;

const [waited, setWaited] = createSignal<Waited>();
/** What is listened for as long as the panel is open; the next act ends it. */
let latest: Hearing | undefined;

function close(): void {
  latest?.stop();
  latest = undefined;
  setWaited(undefined);
}

/** Does it, and shows each acknowledgement as it comes. */
export async function acknowledge(
  verb: "pause" | "resume",
  whom: string,
  hits: Service[],
  act: () => Promise<{ matched: number; changed: string[] }>,
): Promise<void> {
  close();
  const type = verb === "pause" ? "paused" : "resumed";
  const mine = hearing(type, onEvent);
  latest = mine;
  try {
    const { changed, matched } = await act();
    if (changed.length === 0) {
      mine.stop();
      say(matched === 0 ? `Nobody is there to ${verb}` : `${line(whom, 80)}: ${type} already`, "info");
      return;
    }
    if (latest !== mine) {
      say(`${line(whom, 80)}: ${changed.length} ${type}`);
      return;
    }
    const known = new Map([...services(), ...hits].map((service) => [service.service_id, service.name]));
    setWaited({ verb, whom, names: new Map(changed.map((id) => [id, known.get(id) ?? id])), heard: mine.heard });
  } catch (error) {
    mine.stop();
    say(line((error as ApiError).message, 400), "error");
  }
}

export const Acknowledgements: Component = () => (
  <Show when={waited()} keyed>
    {({ verb, whom, names, heard }) => {
      const type = verb === "pause" ? "paused" : "resumed";
      const who = new Set(names.values());
      const told = createMemo(() => {
        let told = 0;
        for (const id of heard()) if (names.has(id)) told += 1;
        return told;
      });
      const open = createMemo(
        () =>
          (sources.inflight.data()?.inflight ?? []).filter((call) => call.agent !== undefined && who.has(call.agent))
            .length,
      );
      return (
        <section class="panel acks" aria-label={`Who is ${type}`}>
          <header>
            <h2 class="clip">
              <span role="status">
                {line(whom, 60)}: {told()} of {names.size} {type}
              </span>
            </h2>
            <span class="space" />
            <button type="button" class="plain" aria-label="Close" onClick={close}>
              ✕
            </button>
          </header>
          <div class="body">
            <Show when={verb === "pause" && open() > 0}>
              <p class="muted">{open()} of their calls are still under way, and finish.</p>
            </Show>
            <ul>
              <For each={[...names].slice(0, LISTED)}>
                {([id, name]) => (
                  <li class="clip">
                    <Mark state={heard().has(id) ? (verb === "pause" ? "paused" : "ok") : "queued"} label={heard().has(id) ? type : "not heard yet"} />{" "}
                    {line(name, 60)}
                  </li>
                )}
              </For>
            </ul>
            <Show when={names.size > LISTED}>
              <p class="muted">And {names.size - LISTED} more.</p>
            </Show>
          </div>
        </section>
      );
    }}
  </Show>
);
