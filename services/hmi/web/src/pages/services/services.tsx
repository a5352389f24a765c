// The registry as it is: models, tools, agents, and PAS's own parts.

import { type Component, For, Show, createMemo } from "solid-js";
import type { Service, ServiceView } from "../../api/types";
import { get, query } from "../../api/client";
import type { Field } from "../../lib/csv";
import { curlPost } from "../../lib/curl";
import { count } from "../../lib/format";
import { locality } from "../../lib/locality";
import { isPhone } from "../../lib/media";
import { line } from "../../lib/text";
import { prefs } from "../../lib/prefs";
import { link, param, search, selected, setParams } from "../../lib/url";
import { poll } from "../../live/source";
import { hello, now, list, services, sources } from "../../live/store";
import { Empty, Panel, isAt } from "../../parts/basic";
import { Exports } from "../../parts/exports";
import { Table } from "../../parts/table";
import { useEscape } from "../../shell/keys";
import { columns } from "./columns";
import { Detail } from "./detail";
import { type Filter, STATUSES, choices, example, fits, inOrder } from "./list";
import { Parts } from "./parts";
import "./beside.css";
import "./services.css";

const PAGE = "/services";
/** More rows than these are listed, and their beats and probes not looked at. */
const LOOKED = 1_000;

const filter = (): Filter => ({
  type: param("type"),
  text: param("q"),
  status: param("status"),
  role: param("role"),
  cap: param("cap"),
  locality: param("locality"),
});

/** What the watch doesn't tell: beats and probes, of those that are shown as far as the registry can tell them apart. */
const looked = poll<{ services: ServiceView[]; next_cursor: string | null }>(
  () => {
    const { type, role, cap } = filter();
    return get(`/api/registry/discover${query({ type, role, cap, status: "any", limit: LOOKED })}`);
  },
  { every_ms: () => prefs().every_s * 1_000, wanted: () => isAt(PAGE) },
);

const EXPORTED: [string, (service: Service) => Field][] = [
  ["name", (it) => it.name],
  ["service_id", (it) => it.service_id],
  ["type", (it) => it.type],
  ["role", (it) => it.role],
  ["status", (it) => it.status],
  ["status_reasons", (it) => it.status_reasons.join("; ")],
  ["paused", (it) => String(it.paused)],
  ["url", (it) => it.url],
  ["caps", (it) => it.caps.join(" ")],
  ["parent", (it) => it.labels.parent],
  ["p95_ms", (it) => it.p95_ms],
  ["queue_depth", (it) => it.queue_depth],
  ["load", (it) => it.load],
];
const TABS: [string | undefined, string][] = [
  [undefined, "All"],
  ["model", "Models"],
  ["tool", "Tools"],
  ["agent", "Agents"],
  ["service", "PAS's own"],
];

export default function Services() {
  const id = () => selected(PAGE);
  const views = createMemo(() => new Map(looked.data()?.services.map((view) => [view.service_id, view])));
  const shown = createMemo(() => inOrder(services().filter((service) => fits(service, filter()))));
  const close = () => `${PAGE}${search()}`;
  const shownColumns = createMemo(() =>
    columns(
      { view: (id) => views().get(id), elapsed_ms: () => now() - (looked.at() ?? now()) },
      { few: id() !== undefined, narrow: isPhone(), typed: filter().type === undefined },
    ),
  );
  useEscape(() => (id() === undefined ? undefined : close()));
  const few = () => id() !== undefined || isPhone();
  return (
    <div class="services" classList={{ chosen: id() !== undefined }}>
      <div class="page-head">
        <h1>Services</h1>
        <span class="space" />
        <Exports of="services" rows={shown} columns={EXPORTED} />
      </div>
      <Parts />
      <div class="beside">
        <Panel
          title={`${count(shown().length)} of ${count(services().length)} listed`}
          source={list}
          flush
          class="list"
        >
          <Filters />
          <Show when={looked.error()}>
            {(error) => <p class="trouble note">Beats and probes are not known: {line(error(), 300)}</p>}
          </Show>
          <Show when={looked.data()?.next_cursor}>
            <p class="note muted">
              Beats and probes are shown of the first {count(LOOKED)} by name: filter to see those of others.
            </p>
          </Show>
          <Table
            label="Services"
            rows={shown()}
            columns={shownColumns()}
            id={(row) => row.service_id}
            href={(row) => `${link(PAGE, row.service_id)}${search()}`}
            selected={id()}
            min={few() ? 0 : 1064}
            empty={<Nothing />}
          />
        </Panel>
        <Show when={id()}>{(id) => <Detail id={id()} close={close()} />}</Show>
      </div>
    </div>
  );
}

const Filters: Component = () => {
  const ofType = createMemo(() => services().filter((service) => !filter().type || service.type === filter().type));
  const choose = (type: string | undefined): void => {
    setParams({ type }, { replace: false });
    looked.look();
  };
  const narrow = (changes: Record<string, string>): void => {
    setParams(changes);
    looked.look();
  };
  return (
    <div class="filters bar">
      <div class="tabs" role="group" aria-label="Type">
        <For each={TABS}>
          {([type, title]) => (
            <button type="button" aria-pressed={filter().type === type} onClick={() => choose(type)}>
              {title}
            </button>
          )}
        </For>
      </div>
      <input
        type="search"
        data-search
        aria-label="Search by name, id, address, model, provider or capability"
        placeholder="Name, model, capability … ( / )"
        value={filter().text ?? ""}
        onInput={(event) => setParams({ q: event.currentTarget.value })}
      />
      <Choice label="Status" name="status" options={STATUSES} choose={setParams} />
      <Choice label="Role" name="role" options={choices(ofType(), ({ role }) => [role])} choose={narrow} />
      <Choice label="Capability" name="cap" options={choices(ofType(), ({ caps }) => caps)} choose={narrow} />
      <Choice
        label="Where"
        name="locality"
        options={choices(ofType(), (service) => [locality(service) ?? []].flat())}
        choose={setParams}
      />
    </div>
  );
};

const Choice: Component<{
  label: string;
  name: string;
  options: string[];
  choose: (changes: Record<string, string>) => void;
}> = (props) => {
  // What is chosen stays to be seen, also when nothing has it any more.
  const options = () => [...new Set([...props.options, ...[param(props.name) ?? []].flat()])];
  return (
    <label class="choice">
      <span class="hidden-text">{props.label}</span>
      <select
        value={param(props.name) ?? ""}
        onChange={(event) => props.choose({ [props.name]: event.currentTarget.value })}
      >
        <option value="">{props.label}: any</option>
        <For each={options()}>
          {(option) => (
            <option value={option} selected={option === param(props.name)}>
              {line(option, 40)}
            </option>
          )}
        </For>
      </select>
    </label>
  );
};

/** Nothing is listed, or nothing of it fits. */
const Nothing: Component = () => {
  const type = () =>
    TABS.find(([type]) => type === filter().type)?.[0] as "model" | "tool" | "agent" | "service" | undefined;
  const any = () => services().some((service) => !type() || service.type === type());
  const command = () => curlPost(`${hello()?.urls.registry ?? ""}/register`, example(type() ?? "agent"));
  return (
    <Show
      when={any()}
      fallback={
        <Show when={sources.services.at() !== undefined} fallback={<Empty>Looking…</Empty>}>
          <Empty command={command()}>
            Nothing of this kind is registered. This registers one, which is listed until it misses three beats:
          </Empty>
        </Show>
      }
    >
      <div class="empty">
        Nothing that is listed fits these filters.{" "}
        <button type="button" onClick={() => setParams({ q: "", status: "", role: "", cap: "", locality: "" })}>
          Clear the filters
        </button>
      </div>
    </Show>
  );
};
