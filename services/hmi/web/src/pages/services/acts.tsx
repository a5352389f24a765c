// What can be done to a service, here and from a shell.

import { type Component, For, Show } from "solid-js";
import type { Role, Service } from "../../api/types";
import { curl, curlPost } from "../../lib/curl";
import { deregister, pause, promote, resume } from "../../acts/actions";
import { hello } from "../../live/store";
import { Copy } from "../../parts/basic";

const RUNGS: Role[] = ["experimental", "staging", "canary", "production"];

/** Why there is no rung to be promoted to. */
const NO_RUNGS: Partial<Record<Service["type"], string>> = {
  agent: "An agent has no rungs: its role is what it registered with. Pause it to hold it back.",
  service: "A part of PAS has no rungs: nothing is routed to it.",
};

export const Acts: Component<{ service: Service }> = (props) => {
  const whom = () => ({ service_id: props.service.service_id, name: props.service.name });
  const why = () => NO_RUNGS[props.service.type];
  return (
    <div class="acts">
      <Show when={why() === undefined} fallback={<p class="muted">{why()}</p>}>
        <div class="filters">
          <span class="muted" id="rungs">
            Rung
          </span>
          <div class="tabs" role="group" aria-labelledby="rungs">
            <For each={RUNGS}>
              {(role) => (
                <button
                  type="button"
                  aria-pressed={props.service.role === role}
                  onClick={() => props.service.role === role || void promote(props.service, role)}
                >
                  {role}
                </button>
              )}
            </For>
          </div>
        </div>
      </Show>
      <div class="filters">
        <Show
          when={props.service.paused}
          fallback={
            <button type="button" onClick={() => void pause(whom())}>
              Pause
            </button>
          }
        >
          <button type="button" class="primary" onClick={() => void resume(whom())}>
            Resume
          </button>
        </Show>
        <button type="button" class="danger" onClick={() => void deregister(props.service)}>
          Deregister
        </button>
      </div>
      <details>
        <summary>The same from a shell</summary>
        <dl class="commands">
          <For each={commands(props.service, hello()?.urls.registry ?? "")}>
            {([title, command]) => (
              <>
                <dt>
                  {title} <Copy text={command} show={false} what={`the command: ${title}`} />
                </dt>
                <dd>
                  <code class="wrap">{command}</code>
                </dd>
              </>
            )}
          </For>
        </dl>
      </details>
    </div>
  );
};

function commands({ service_id, type, role, paused }: Service, registry: string): [string, string][] {
  const post = (act: string, more: Record<string, unknown>) =>
    curlPost(`${registry}/${act}`, { service_id, ...more, reason: "say why" });
  const verb = paused ? "resume" : "pause";
  const next = RUNGS[Math.min(RUNGS.indexOf(role) + 1, RUNGS.length - 1)];
  return [
    ...(NO_RUNGS[type] ? [] : [["Promote", post("promote", { role: next })] as [string, string]]),
    [paused ? "Resume" : "Pause", post(verb, {})],
    ["Deregister", post("deregister", {})],
    ["Look", curl({ url: `${registry}/services/${service_id}` })],
  ];
}
