// Which alerts are shown, as the URL says.

import { type Component, For, createMemo } from "solid-js";
import { serverTime } from "../../lib/time";
import { sinceTime } from "../../lib/since";
import { isPlain } from "../../lib/text";
import { param, setParams } from "../../lib/url";
import { services } from "../../live/store";
import { KINDS } from "./kinds";
import { type Filter, SEVERITIES } from "./list";

const TABS: [string | undefined, string][] = [
  [undefined, "Open"],
  ["true", "Past"],
  ["any", "All"],
];
const SPANS: [string, string][] = [
  ["1h", "Last hour"],
  ["24h", "Last 24 hours"],
  ["7d", "Last 7 days"],
  ["30d", "Last 30 days"],
];
/** Names that are offered while one is typed. */
const OFFERED = 300;

/** The filter of the URL; the same object until something of it changes. */
export function useFilter(): () => Filter {
  const of = (name: string) => createMemo(() => param(name));
  const [severity, type, service, acked, since] = [of("severity"), of("type"), of("service"), of("acked"), of("since")];
  return createMemo(() => ({
    severity: severity(),
    type: type(),
    service: service(),
    acked: acked() === "any" ? undefined : acked() === "true",
    since: sinceTime(since(), serverTime()) ?? undefined,
  }));
}

export const Filters: Component = () => {
  const names = createMemo(() =>
    [...new Set(services().map(({ name }) => name))].filter((name) => isPlain(name)).slice(0, OFFERED),
  );
  return (
    <div class="filters bar">
      <div class="tabs" role="group" aria-label="Open or past">
        <For each={TABS}>
          {([acked, title]) => (
            <button
              type="button"
              aria-pressed={param("acked") === acked}
              onClick={() => setParams({ acked }, { replace: false })}
            >
              {title}
            </button>
          )}
        </For>
      </div>
      <input
        type="search"
        data-search
        list="alert-services"
        aria-label="Service, by its whole name or id"
        placeholder="Service: whole name or id ( / )"
        value={param("service") ?? ""}
        onChange={(event) => setParams({ service: event.currentTarget.value.trim() })}
      />
      <datalist id="alert-services">
        <For each={names()}>{(name) => <option value={name} />}</For>
      </datalist>
      <Choice label="Severity" name="severity" options={SEVERITIES.map((it) => [it, it])} />
      <Choice label="Type" name="type" options={Object.entries(KINDS).map(([type, kind]) => [type, kind.title])} />
      <Choice label="Since" name="since" options={SPANS} any="ever" />
      <Choice
        label="Order"
        name="order"
        options={[
          ["severity", "the worst first"],
          ["newest", "the newest first"],
        ]}
        any="as usual"
      />
    </div>
  );
};

const Choice: Component<{ label: string; name: string; options: [string, string][]; any?: string }> = (props) => (
  <label class="choice">
    <span class="hidden-text">{props.label}</span>
    <select onChange={(event) => setParams({ [props.name]: event.currentTarget.value })}>
      <option value="">
        {props.label}: {props.any ?? "any"}
      </option>
      <For each={props.options}>
        {([value, title]) => (
          <option value={value} selected={value === param(props.name)}>
            {title}
          </option>
        )}
      </For>
    </select>
  </label>
);
