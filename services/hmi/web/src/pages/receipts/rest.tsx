// What a call cost, what is noted of it, what of its content was kept, and how it is taken along.

import { type Component, For, Show } from "solid-js";
import type { ContentPart, Receipt } from "../../api/types";
import { bytes, count, exactUsd, usd } from "../../lib/format";
import { fileName, save } from "../../lib/save";
import { block, line } from "../../lib/text";
import { hello } from "../../live/store";
import { Copy, Money } from "../../parts/basic";
import { asCurl } from "./again";
import type { Loaded } from "./load";

const KINDS = [
  ["input", "read"],
  ["output", "written"],
  ["cache_read", "from a cache"],
  ["cache_write", "into a cache"],
  ["reasoning", "of these thought"],
] as const;

export const Cost: Component<{ receipt: Receipt }> = (props) => {
  const cost = () => props.receipt.cost_estimate;
  const words = {
    confirmed: "confirmed",
    estimated: "estimated: the tokens, or the price, were not told by the provider",
    unknown: "not known, which is not nothing",
  };
  const exactly = () =>
    cost().usd && usd(cost().usd) !== exactUsd(cost().usd ?? 0) ? `, exactly ${exactUsd(cost().usd ?? 0)}` : "";
  return (
    <section class="part" aria-label="Cost">
      <h3>What it cost</h3>
      <p>
        <strong>
          <Money usd={cost().usd} estimated={cost().state === "estimated"} />
        </strong>{" "}
        <span class="muted">
          {words[cost().state]}
          {exactly()}
          {cost().price_version ? `; prices ${line(cost().price_version ?? "", 60)}` : ""}
        </span>
      </p>
      <Show when={props.receipt.usage} fallback={<p class="muted">No tokens are on the receipt.</p>}>
        {(usage) => (
          <p class="tokens">
            <For each={KINDS}>
              {([kind, word]) => (
                <span classList={{ muted: usage()[kind] === 0 }}>
                  <span class="num">{count(usage()[kind])}</span> {word}
                </span>
              )}
            </For>
            <span class="muted">
              {usage().source === "provider" ? "as the provider counted" : "estimated by the gateway"}
            </span>
          </p>
        )}
      </Show>
    </section>
  );
};

export const Notes: Component<{ receipt: Receipt }> = (props) => (
  <Show when={props.receipt.notes?.length}>
    <section class="part" aria-label="Notes">
      <h3>Notes</h3>
      <ul class="notes">
        <For each={props.receipt.notes}>{(note) => <li class="wrap">{line(note, 1_000)}</li>}</For>
      </ul>
    </section>
  </Show>
);

export const Content: Component<{ receipt: Receipt }> = (props) => (
  <Show when={props.receipt.content}>
    {(content) => (
      <section class="part" aria-label="Content">
        <h3>What was said</h3>
        <Body title="Request" part={content().request} />
        <Body title="Answer" part={content().answer} />
      </section>
    )}
  </Show>
);

const hashOf = (part: ContentPart): string | undefined => {
  if (part.sha256) return `SHA-256 ${part.sha256}`;
  return part.blake3 ? `blake3 ${part.blake3}` : undefined;
};

const Body: Component<{ title: string; part: ContentPart | undefined }> = (props) => (
  <Show when={props.part} fallback={<p class="muted">{props.title}: none.</p>}>
    {(part) => (
      <Show
        when={part().text !== undefined}
        fallback={
          <p class="muted wrap" title={hashOf(part())}>
            {props.title}: {bytes(part().bytes)}; its text was not kept, as the policy says.
          </p>
        }
      >
        <details>
          <summary>
            {props.title}: {bytes(part().bytes)}
            {part().cut ? ", of which the beginning was kept" : ""}
          </summary>
          <pre class="block">{block(part().text ?? "")}</pre>
        </details>
      </Show>
    )}
  </Show>
);

export const Take: Component<{ loaded: Loaded }> = (props) => {
  const command = () => {
    const gateway = hello()?.urls.gateway;
    return gateway === undefined ? undefined : asCurl(props.loaded.receipt, gateway);
  };
  return (
    <section class="part" aria-label="Take along">
      <h3>Take it along</h3>
      <div class="filters">
        <Copy text={props.loaded.text} label="Copy as JSON" show={false} />
        <button
          type="button"
          class="plain"
          onClick={() =>
            save(
              new Blob([props.loaded.text], { type: "application/json" }),
              fileName(props.loaded.receipt.run_id, "json"),
            )
          }
        >
          Save as JSON
        </button>
        <Show when={command()} fallback={<span class="muted">Too little is known for a command that asks again.</span>}>
          {(command) => <Copy text={command()} label="Copy as curl" show={false} />}
        </Show>
      </div>
      <Show when={command()}>
        {(command) => (
          <details>
            <summary>The command, and what it can't know</summary>
            <pre class="block">{block(command())}</pre>
          </details>
        )}
      </Show>
      <Copy text={`pas explain ${props.loaded.receipt.run_id}`} />
    </section>
  );
};
