// What can be done to one, or to all below it, and the same as commands.

import { type Component, For, Show } from "solid-js";
import { curl, curlPost } from "../../lib/curl";
import { pause, resume } from "../../acts/actions";
import { hello } from "../../live/store";
import { Copy } from "../../parts/basic";
import type { TreeNode } from "./forest";

/** Its name as the registry has it, whatever of it is shown. */
interface Props {
  node: TreeNode;
  name: string;
  /** Whether it is paused; undefined when the registry doesn't list it. */
  paused: boolean | undefined;
}

export const Acts: Component<Props> = (props) => {
  const one = () => ({ service_id: props.node.key, name: props.name });
  const subtree = () => props.node.kind === "agent" && props.node.below > 0;
  return (
    <section aria-label="What can be done">
      <Show
        when={props.paused !== undefined}
        fallback={<p class="muted">The registry does not list it: it can't be paused.</p>}
      >
        <div class="acts">
          <Show
            when={props.paused}
            fallback={
              <button type="button" onClick={() => void pause(one())}>
                Pause
              </button>
            }
          >
            <button type="button" class="primary" onClick={() => void resume(one())}>
              Resume
            </button>
          </Show>
          <Show when={subtree()}>
            <button type="button" onClick={() => void pause({ subtree: props.name })}>
              Pause with all below
            </button>
            <button type="button" onClick={() => void resume({ subtree: props.name })}>
              Resume with all below
            </button>
          </Show>
        </div>
        <Commands {...props} />
      </Show>
    </section>
  );
};

const Commands: Component<Props> = (props) => {
  const commands = (): [string, string][] => {
    const registry = hello()?.urls.registry;
    if (registry === undefined) return [];
    const one = { service_id: props.node.key, reason: "say why" };
    const all = { subtree: props.name, reason: "say why" };
    const below: [string, string][] = [
      ["Pause with all below", curlPost(`${registry}/pause`, all)],
      ["Resume with all below", curlPost(`${registry}/resume`, all)],
    ];
    return [
      ["Pause", curlPost(`${registry}/pause`, one)],
      ["Resume", curlPost(`${registry}/resume`, one)],
      ...(props.node.kind === "agent" && props.node.below > 0 ? below : []),
      ["Look it up", curl({ url: `${registry}/services/${props.node.key}` })],
    ];
  };
  return (
    <details>
      <summary>As commands</summary>
      <ul class="commands">
        <For each={commands()}>
          {([what, command]) => (
            <li>
              <Copy text={command} label={what} show={false} />
              <code class="clip">{command}</code>
            </li>
          )}
        </For>
      </ul>
    </details>
  );
};
