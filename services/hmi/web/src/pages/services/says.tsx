// What a service said of itself when it registered.

import { type Component, For, Show } from "solid-js";
import type { ServiceView } from "../../api/types";
import { count, usd } from "../../lib/format";
import { locality } from "../../lib/locality";
import { line } from "../../lib/text";
import { Clip, Copy, Time } from "../../parts/basic";
import { models } from "./list";

export const Says: Component<{ view: ServiceView }> = (props) => {
  const shown = new Set(["description", "models", "ctx_limits"]);
  const labels = () => Object.entries(props.view.labels).filter(([key]) => !shown.has(key));
  return (
    <>
      <h3>Registered as</h3>
      <dl class="kv">
        <dt>Type, role</dt>
        <dd>
          {props.view.type}, {props.view.role}
        </dd>
        <dt>Id</dt>
        <dd>
          <Copy text={props.view.service_id} />
        </dd>
        <dt>Address</dt>
        <dd>
          <Show when={props.view.url} fallback={<span class="muted">none: it has no server</span>}>
            {(url) => <Copy text={line(url(), 400)} />}
          </Show>
        </dd>
        <dt>Where</dt>
        <dd>{locality(props.view) ?? "–"}</dd>
        <dt>Registered</dt>
        <dd>
          <Time at={props.view.registered_at} />
        </dd>
        <dt>Can</dt>
        <dd>
          <ul class="words">
            <For each={props.view.caps} fallback={<li class="muted">nothing that it named</li>}>
              {(cap) => (
                <li>
                  <Clip text={cap} limit={130} />
                </li>
              )}
            </For>
          </ul>
        </dd>
        <Show when={props.view.type === "model"}>
          <dt>Models</dt>
          <dd>
            <ul>
              <For each={models(props.view)}>
                {(model) => (
                  <li class="wrap">
                    {line(model.name, 120)}{" "}
                    <span class="muted">
                      {model.ctx_limit === undefined ? "context not known" : `${count(model.ctx_limit)} tokens`}
                    </span>
                  </li>
                )}
              </For>
            </ul>
          </dd>
          <dt>Cost, about</dt>
          <dd>
            {props.view.cost_hint_usd_per_1k === null ? (
              <span class="muted">by the price table</span>
            ) : (
              `≈ ${usd(props.view.cost_hint_usd_per_1k)} per 1,000 tokens, by its own word`
            )}
          </dd>
        </Show>
        <Show when={props.view.type !== "model" && props.view.ctx_limit !== null}>
          <dt>Context</dt>
          <dd>{count(props.view.ctx_limit)} tokens</dd>
        </Show>
        <For each={labels()}>
          {([key, value]) => (
            <>
              <dt class="clip label" title={line(key, 200)}>
                {line(key, 60)}
              </dt>
              <dd>{value === null ? <span class="muted">–</span> : line(value, 1_000)}</dd>
            </>
          )}
        </For>
      </dl>
    </>
  );
};
