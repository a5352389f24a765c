// What models cost, as the provider router has it.

import { type Component, For, Show, createMemo, createSignal } from "solid-js";
import { get } from "../../api/client";
import { count } from "../../lib/format";
import { line } from "../../lib/text";
import { loaded } from "../../live/loaded";
import { Money, Panel } from "../../parts/basic";

interface Rates {
  input: number | null;
  output: number | null;
  cache_read: number | null;
  cache_write: number | null;
}

interface Price {
  provider: string;
  model: string;
  usd_per_million: Rates | null;
  above_input_tokens: number | null;
  usd_per_million_above: Rates | null;
  source: string | null;
  date: string | null;
}

interface PriceList {
  version: string;
  prices: Price[];
}

const KINDS = [
  ["input", "Input"],
  ["output", "Output"],
  ["cache_read", "Cache read"],
  ["cache_write", "Cache write"],
] as const;

export const Prices: Component = () => {
  const list = loaded(
    () => "prices",
    (_, signal) => get<PriceList>("/api/router/prices", signal),
  );
  const [text, setText] = createSignal("");
  const found = createMemo(() => {
    const wanted = text().trim().toLowerCase();
    return (list.data()?.prices ?? []).filter(({ provider, model }) =>
      `${provider} ${model}`.toLowerCase().includes(wanted),
    );
  });
  return (
    <Panel
      title="Prices, in dollars for a million tokens"
      source={list}
      flush
      actions={
        <label>
          <span class="hidden-text">Find a model</span>
          <input
            type="search"
            placeholder="Find a model"
            value={text()}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
      }
    >
      <div class="spend prices" tabindex="0" role="region" aria-label="Table of prices">
        <table>
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col">Provider</th>
              <For each={KINDS}>
                {([, title]) => (
                  <th scope="col" class="right">
                    {title}
                  </th>
                )}
              </For>
              <th scope="col">Said by the provider</th>
            </tr>
          </thead>
          <tbody>
            <For each={found()}>
              {(price) => (
                <>
                  <tr>
                    <th scope="row">{line(price.model, 120)}</th>
                    <td>{line(price.provider, 60)}</td>
                    <Cells rates={price.usd_per_million} />
                    <td>
                      <Said price={price} />
                    </td>
                  </tr>
                  <Show when={price.above_input_tokens !== null && price.usd_per_million_above !== null}>
                    <tr>
                      <td class="muted" colSpan={2}>
                        above {count(price.above_input_tokens)} input tokens
                      </td>
                      <Cells rates={price.usd_per_million_above} />
                      <td />
                    </tr>
                  </Show>
                </>
              )}
            </For>
          </tbody>
        </table>
        <p class="empty">
          “–” is not known, or nothing because the model runs on this machine. Version{" "}
          {line(list.data()?.version ?? "–", 40)}, as on receipts. What a service itself says that it costs (
          <code>cost_hint_usd_per_1k</code>) stands under Services.
        </p>
      </div>
    </Panel>
  );
};

const Cells: Component<{ rates: Rates | null }> = (props) => (
  <For each={KINDS}>
    {([kind]) => (
      <td class="right num">
        <Money usd={props.rates?.[kind]} />
      </td>
    )}
  </For>
);

const Said: Component<{ price: Price }> = (props) => {
  const host = (): string | undefined => {
    try {
      const url = new URL(props.price.source ?? "");
      return url.protocol === "https:" || url.protocol === "http:" ? url.host : undefined;
    } catch {
      return undefined;
    }
  };
  return (
    <>
      <Show when={host()} fallback={<span class="muted">{line(props.price.source ?? "–", 80)}</span>}>
        {(host) => (
          <a
            href={props.price.source ?? ""}
            target="_blank"
            rel="noreferrer noopener"
            title={line(props.price.source ?? "", 400)}
          >
            {host()}
          </a>
        )}
      </Show>
      <span class="muted"> {line(props.price.date ?? "", 20)}</span>
    </>
  );
};
