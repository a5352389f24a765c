// The columns of the list.

import { Show } from "solid-js";
import type { Service, ServiceView } from "../../api/types";
import { ago, count, duration, percent } from "../../lib/format";
import { locality } from "../../lib/locality";
import { line } from "../../lib/text";
import { Clip } from "../../parts/basic";
import { Mark, Tag } from "../../parts/state";
import type { Column } from "../../parts/table";
import { type Beat, condition, lastBeat, models } from "./list";

/** What `/discover` told of a service, and how long ago that was. */
export interface Looked {
  view: (id: string) => ServiceView | undefined;
  elapsed_ms: () => number;
}

const status: Column<Service> = {
  title: "Status",
  width: "minmax(132px, 1.4fr)",
  cell: (row) => {
    const it = () => condition(row);
    return (
      <span class="condition" title={it().why === "" ? it().word : line(`${it().word}: ${it().why}`, 600)}>
        <Tag state={it().state}>{it().word}</Tag>
        <Show when={it().why !== ""}>
          <Clip text={it().why} limit={80} class="muted" />
        </Show>
      </span>
    );
  },
};

const name: Column<Service> = {
  title: "Name",
  width: "minmax(104px, 1.5fr)",
  cell: (row) => <Clip text={row.name} limit={80} />,
};

const type: Column<Service> = { title: "Type", width: "52px", cell: (row) => row.type };
const role: Column<Service> = { title: "Role", width: "88px", cell: (row) => row.role };

const caps: Column<Service> = {
  title: "Can",
  width: "minmax(70px, 1fr)",
  cell: (row) => (
    <Show when={row.caps.length > 0} fallback={<span class="muted">–</span>}>
      <Clip text={row.caps.join(", ")} limit={120} />
    </Show>
  ),
};

const served: Column<Service> = {
  title: "Models",
  width: "50px",
  right: true,
  cell: (row) => (row.type === "model" ? count(models(row).length) : <span class="muted">–</span>),
};

const where: Column<Service> = {
  title: "Where",
  width: "minmax(72px, 0.9fr)",
  cell: (row) => {
    const texts = [locality(row), row.labels.provider].filter((text) => text);
    return <Clip text={texts.length > 0 ? texts.join(", ") : "–"} limit={60} />;
  },
};

const probe = (looked: Looked): Column<Service> => ({
  title: "Probe",
  width: "82px",
  cell: (row) => (
    <Show when={looked.view(row.service_id)?.probe} fallback={<span class="muted">–</span>}>
      {(it) => (
        <Show when={it().reachability !== "unprobed"} fallback={<span class="muted">not probed</span>}>
          <span class="num" title={line(it().reason ?? it().reachability, 600)}>
            <Mark state={it().reachability === "reachable" ? "ok" : "down"} label={it().reachability} />{" "}
            {it().reachability === "reachable" ? duration(it().latency_ms) : "no answer"}
          </span>
        </Show>
      )}
    </Show>
  ),
});

/** Beats bring newer figures than the watch, which tells only of notable changes. */
function measure(looked: Looked, title: string, width: string, of: (service: Service) => string): Column<Service> {
  return { title, width, right: true, cell: (row) => of(looked.view(row.service_id) ?? row) };
}

const beat = (looked: Looked): Column<Service> => ({
  title: "Last beat",
  width: "92px",
  cell: (row) => (
    <Show when={looked.view(row.service_id)} fallback={<span class="muted">–</span>}>
      {(view) => <BeatText beat={lastBeat(view(), looked.elapsed_ms())} />}
    </Show>
  ),
});

export const BeatText = (props: { beat: Beat }) => (
  <span class="num nowrap" title={props.beat.what}>
    <Mark state={props.beat.state} label={props.beat.what} /> {ago(props.beat.age_ms)}
  </span>
);

/** All columns, or as many as fit beside what is selected and on a phone. */
export function columns(
  looked: Looked,
  { few, narrow, typed }: { few: boolean; narrow: boolean; typed: boolean },
): Column<Service>[] {
  if (narrow) return [status, name, { ...beat(looked), width: "86px" }];
  if (few) return [status, name, role, beat(looked)];
  return [
    status,
    name,
    ...(typed ? [type] : []),
    role,
    caps,
    served,
    probe(looked),
    measure(looked, "p95", "58px", (it) => duration(it.p95_ms)),
    measure(looked, "Queue", "44px", (it) => count(it.queue_depth)),
    measure(looked, "Load", "46px", (it) => percent(it.load)),
    beat(looked),
    where,
  ];
}
