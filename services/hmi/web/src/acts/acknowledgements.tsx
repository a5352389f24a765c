// After a pause or a resume: who has acknowledged it. The registry answers for all at once; each one's own word is its event,
// which everybody who follows the stream has then too.

import { type Component, For, Show, createSignal } from "solid-js";
import { type ApiError } from "../api/client";
import type { Service } from "../api/types";
import { line } from "../lib/text";
import { say } from "../parts/dialog";
import { Mark } from "../parts/state";
import { onEvent, services, sources } from "../live/store";

interface Waited {
  verb: "pause" | "resume";
  whom: string;
  names: Map<string, string>;
}

const [waited, setWaited] = createSignal<Waited>();
const [heard, setHeard] = createSignal<ReadonlySet<string>>(new Set());

/** Does it, and shows each acknowledgement as it comes. */
export async function acknowledge(
  verb: "pause" | "resume",
  whom: string,
  hits: Service[],
  act: () => Promise<{ matched: number; changed: string[] }>,
): Promise<void> {
  setHeard(new Set<string>());
  const type = verb === "pause" ? "paused" : "resumed";
  const ids = new Set<string>();
  const stop = onEvent((event) => {
    if (event.event_type !== type || event.service_id === undefined) return;
    ids.add(event.service_id);
    setHeard(new Set(ids));
  });
  setTimeout(stop, 60_000);
  try {
    const { changed, matched } = await act();
    if (changed.length === 0) {
      stop();
      say(matched === 0 ? `Nobody is there to ${verb}` : `${line(whom, 80)}: ${type} already`, "info");
      return;
    }
    const known = new Map([...services(), ...hits].map((service) => [service.service_id, service.name]));
    setWaited({ verb, whom, names: new Map(changed.map((id) => [id, known.get(id) ?? id])) });
  } catch (error) {
    stop();
    say(line((error as ApiError).message, 400), "error");
  }
}

export const Acknowledgements: Component = () => (
  <Show when={waited()} keyed>
    {({ verb, whom, names }) => {
      const type = verb === "pause" ? "paused" : "resumed";
      const told = () => [...names.keys()].filter((id) => heard().has(id)).length;
      const open = () => {
        const who = new Set(names.values());
        return (sources.inflight.data()?.inflight ?? []).filter((call) => call.agent !== undefined && who.has(call.agent)).length;
      };
      return (
        <section class="panel acks" role="status" aria-label={`Who is ${type}`}>
          <header>
            <h2 class="clip">
              {line(whom, 60)}: {told()} of {names.size} {type}
            </h2>
            <span class="space" />
            <button type="button" class="plain" aria-label="Close" onClick={() => setWaited(undefined)}>
              ✕
            </button>
          </header>
          <div class="body">
            <Show when={verb === "pause" && open() > 0}>
              <p class="muted">{open()} of their calls are still under way, and finish.</p>
            </Show>
            <ul>
              <For each={[...names]}>
                {([id, name]) => (
                  <li class="clip">
                    <Mark state={heard().has(id) ? (verb === "pause" ? "paused" : "ok") : "queued"} label={heard().has(id) ? type : "not heard yet"} />{" "}
                    {line(name, 60)}
                  </li>
                )}
              </For>
            </ul>
          </div>
        </section>
      );
    }}
  </Show>
);
