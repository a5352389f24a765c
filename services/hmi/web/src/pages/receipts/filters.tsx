// Which calls are shown. All of it stands in the URL.

import { type Component, For, Show, createMemo } from "solid-js";
import { serverTime } from "../../lib/time";
import type { CallStatus } from "../../api/types";
import { isPhone } from "../../lib/media";
import { sinceTime, toField } from "../../lib/since";
import { isPlain } from "../../lib/text";
import { param, setParams } from "../../lib/url";
import { agents, services } from "../../live/store";
import type { Filter } from "./row";

export const STATUSES: CallStatus[] = ["ok", "error", "cut", "cancelled", "refused", "lost"];
/** Names that a field offers. */
const OFFERED = 200;
const TEXTS = [
  { name: "agent", label: "Agent" },
  { name: "agent_run_id", label: "Agent run" },
  { name: "service", label: "Service" },
  { name: "model", label: "Model" },
  { name: "budget", label: "Budget and below" },
] as const;
export const SPANS = [
  { value: "", label: "all time" },
  { value: "15m", label: "last 15 min" },
  { value: "1h", label: "last hour" },
  { value: "today", label: "today, UTC" },
  { value: "7d", label: "last 7 days" },
  { value: "30d", label: "last 30 days" },
];

/** What the URL asks for; a span is reckoned from `now`. */
export function filterOf(now: number): Filter {
  const filter: Filter = { status: STATUSES.find((status) => status === param("status")) };
  for (const { name } of TEXTS) filter[name] = param(name) || undefined;
  filter.since = sinceTime(param("since"), now) ?? undefined;
  return filter;
}

/** The filters of the URL as one text: another text, another list. */
export const filterKey = (): string =>
  JSON.stringify([...TEXTS.map(({ name }) => param(name)), param("status"), param("since")]);

export const isFiltered = (): boolean => TEXTS.some(({ name }) => param(name)) || !!param("status") || !!param("since");

const clear = (): void =>
  setParams({ status: undefined, since: undefined, ...Object.fromEntries(TEXTS.map(({ name }) => [name, undefined])) });

export const Filters: Component = () => (
  <Show when={isPhone()} fallback={<Fields />}>
    <details class="panel" open={isFiltered()}>
      <summary>Which calls{isFiltered() ? ": filtered" : ""}</summary>
      <Fields />
    </details>
  </Show>
);

/** Each once; what isn't what it looks like is not offered. */
function offered(names: string[]): string[] {
  return [...new Set(names)].filter((name) => isPlain(name)).slice(0, OFFERED);
}

const Fields: Component = () => {
  const names = createMemo(() => ({
    agent: offered(agents().map(({ name }) => name)),
    service: offered(services().flatMap(({ name, type }) => (type === "agent" || type === "service" ? [] : [name]))),
    model: offered(services().flatMap(({ labels }) => labels.models?.split(",") ?? [])),
  }));
  return (
    <form
      class="filters calls-filters"
      role="search"
      aria-label="Which calls"
      onSubmit={(event) => event.preventDefault()}
    >
      <label>
        <span>Ended</span>
        <select value={param("status") ?? ""} onChange={(event) => setParams({ status: event.currentTarget.value })}>
          <option value="">in any way</option>
          <For each={STATUSES}>{(status) => <option value={status}>{status}</option>}</For>
        </select>
      </label>
      <Since spans={SPANS} />
      <For each={TEXTS}>
        {({ name, label }, index) => (
          <label>
            <span>{label}</span>
            <input
              type="search"
              value={param(name) ?? ""}
              data-search={index() === 0 ? "" : undefined}
              list={name in names() ? `calls-${name}` : undefined}
              maxLength={name === "budget" ? 4096 : 256}
              onChange={(event) => setParams({ [name]: event.currentTarget.value.trim() })}
            />
            <Show when={name in names()}>
              <datalist id={`calls-${name}`}>
                <For each={names()[name as "agent"]}>{(known) => <option value={known} />}</For>
              </datalist>
            </Show>
          </label>
        )}
      </For>
      <Show when={isFiltered()}>
        <button type="button" onClick={clear}>
          Show all
        </button>
      </Show>
    </form>
  );
};

/** From when on: a span that goes along with the time, or a time. */
export const Since: Component<{ spans: { value: string; label: string }[] }> = (props) => {
  const value = () => param("since") ?? "";
  const isCustom = () => !props.spans.some((span) => span.value === value());
  const choose = (chosen: string): void => {
    if (chosen !== "custom") setParams({ since: chosen });
    else setParams({ since: sinceTime(value() || "1h", serverTime()) ?? undefined });
  };
  return (
    <>
      <label>
        <span>Came in</span>
        <select value={isCustom() ? "custom" : value()} onChange={(event) => choose(event.currentTarget.value)}>
          <For each={props.spans}>{(span) => <option value={span.value}>{span.label}</option>}</For>
          <option value="custom">since a time…</option>
        </select>
      </label>
      <Show when={isCustom()}>
        <label>
          <span>Since, here</span>
          <input
            type="datetime-local"
            value={toField(value(), serverTime())}
            onChange={(event) => setParams({ since: sinceTime(event.currentTarget.value, serverTime()) ?? undefined })}
          />
        </label>
      </Show>
    </>
  );
};
