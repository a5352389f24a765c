// The columns of the list of calls: as many as there is room for.

import { type Component, Show } from "solid-js";
import { clock, count, duration, short } from "../../lib/format";
import { isPhone } from "../../lib/media";
import { line } from "../../lib/text";
import { Clip, Money, Time } from "../../parts/basic";
import { callState } from "../../parts/calls";
import { Tag } from "../../parts/state";
import type { Column } from "../../parts/table";
import type { Row } from "./row";

const ended: Column<Row> = {
  title: "Ended",
  width: "104px",
  cell: (row) => <Tag state={callState(row.status)}>{row.status}</Tag>,
};
const cameIn: Column<Row> = {
  title: "Came in",
  width: "minmax(76px, 110px)",
  cell: (row) => <Time at={new Date(row.at).toISOString()} />,
};
const shortEnded: Column<Row> = { ...ended, width: "88px" };
/** Where there is little room, the time of today's calls, and the day of others. */
const shortCameIn: Column<Row> = {
  ...cameIn,
  width: "66px",
  cell: (row) => <span title={new Date(row.at).toISOString()}>{clock(row.at).replace(/ \d\d:\d\d:\d\d$/, "")}</span>,
};
const agent: Column<Row> = {
  title: "Agent",
  width: "minmax(90px, 1.1fr)",
  cell: (row) => (row.agent === undefined ? <span class="muted">none named</span> : <Clip text={row.agent} />),
};
const answeredBy: Column<Row> = {
  title: "Asked",
  width: "minmax(120px, 1.5fr)",
  cell: (row) => (
    <>
      <Show when={row.service} fallback={<span class="muted">nobody</span>}>
        {(service) => <By service={service()} model={row.model} />}
      </Show>
      <Show when={row.error}>{(error) => <span class="muted"> · {line(error().replaceAll("_", " "), 60)}</span>}</Show>
    </>
  ),
};
const route: Column<Row> = {
  title: "Route",
  width: "minmax(90px, 0.9fr)",
  cell: (row) => <Clip text={row.route ?? "–"} class="muted" />,
};
const tokens: Column<Row> = {
  title: "Tokens",
  width: "104px",
  right: true,
  cell: (row) =>
    row.usage ? (
      <span
        title={`${count(row.usage.input)} in, ${count(row.usage.output)} out`}
      >{`${short(row.usage.input)} → ${short(row.usage.output)}`}</span>
    ) : (
      "–"
    ),
};
const cost: Column<Row> = {
  title: "Cost",
  width: "92px",
  right: true,
  cell: (row) => <Money usd={row.cost?.usd} estimated={row.cost?.state === "estimated"} />,
};
const took: Column<Row> = { title: "Took", width: "70px", right: true, cell: (row) => duration(row.total_ms) };
const tried: Column<Row> = {
  title: "Tried",
  width: "52px",
  right: true,
  cell: (row) => (row.attempts === undefined ? "–" : row.attempts),
};

const By: Component<{ service: string; model?: string }> = (props) => (
  <span title={line(`${props.model ?? ""} by ${props.service}`, 500)}>
    {line(props.service, 80)}
    <Show when={props.model !== undefined && props.model !== props.service}>
      <span class="muted"> {line(props.model ?? "", 80)}</span>
    </Show>
  </span>
);

export function columns(beside: boolean): Column<Row>[] {
  if (isPhone()) return [shortEnded, shortCameIn, { ...agent, width: "minmax(0, 1fr)" }, { ...took, width: "58px" }];
  if (beside)
    return [
      shortEnded,
      shortCameIn,
      { ...agent, width: "minmax(70px, 1fr)" },
      { ...answeredBy, width: "minmax(80px, 1.2fr)" },
      cost,
      took,
    ];
  return [ended, cameIn, agent, answeredBy, route, tokens, cost, took, tried];
}
