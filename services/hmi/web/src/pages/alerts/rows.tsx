// The list of alerts. As many rows are there as were scrolled to, whatever comes on top.

import { type Component, For, Show, createEffect, createMemo, createSignal, on, onCleanup, onMount } from "solid-js";
import type { Alert } from "../../api/types";
import { line } from "../../lib/text";
import { go, link, search } from "../../lib/url";
import { acknowledgeAlerts } from "../../acts/actions";
import { now } from "../../live/store";
import { A, Age, Clip } from "../../parts/basic";
import { Tag } from "../../parts/state";
import { kindOf } from "./kinds";
import { type Order, SEVERITIES } from "./list";
import { mutedUntil } from "./mutes";

const STEP = 60;

interface Props {
  rows: Alert[];
  order: Order;
  selected: string | undefined;
  marked: ReadonlySet<string>;
  mark: (id: string, on: boolean) => void;
  /** Called when the end comes into sight. */
  more: () => void;
}

export const Rows: Component<Props> = (props) => {
  const [limit, setLimit] = createSignal(STEP);
  let end!: HTMLDivElement;
  let near = false;
  const there = createMemo(() => props.rows.slice(0, limit()));
  const further = (): void => {
    if (!near) return;
    if (limit() < props.rows.length) setLimit(limit() + STEP);
    else props.more();
  };
  onMount(() => {
    const seen = new IntersectionObserver(
      ([entry]) => {
        near = entry?.isIntersecting ?? false;
        further();
      },
      { rootMargin: "400px" },
    );
    seen.observe(end);
    onCleanup(() => seen.disconnect());
  });
  // The end may stay in sight when little came.
  createEffect(on([there, () => props.rows.length], () => requestAnimationFrame(further), { defer: true }));
  useSteps(props);
  return (
    <>
      <Show
        when={props.order === "severity"}
        fallback={
          <ul class="alert-rows" aria-label="Alerts, the newest first">
            <For each={there()}>{(alert) => <Row alert={alert} {...rowOf(props)} />}</For>
          </ul>
        }
      >
        <For each={SEVERITIES}>
          {(severity) => {
            const mine = createMemo(() => there().filter((alert) => alert.severity === severity));
            return (
              <Show when={mine().length > 0}>
                <h3 class="severity">
                  <Tag state={severity}>{severity}</Tag>
                </h3>
                <ul class="alert-rows" aria-label={`${severity} alerts, the newest first`}>
                  <For each={mine()}>{(alert) => <Row alert={alert} {...rowOf(props)} />}</For>
                </ul>
              </Show>
            );
          }}
        </For>
      </Show>
      <div ref={end} />
    </>
  );
};

type RowProps = Pick<Props, "mark"> & { isSelected: (id: string) => boolean; isMarked: (id: string) => boolean };

function rowOf(props: Props): RowProps {
  return {
    mark: (id, on) => props.mark(id, on),
    isSelected: (id) => props.selected === id,
    isMarked: (id) => props.marked.has(id),
  };
}

/** j and k go from alert to alert. */
function useSteps(props: Props): void {
  const press = (event: KeyboardEvent): void => {
    const by = { j: 1, k: -1 }[event.key];
    const target = event.target as HTMLElement;
    if (
      by === undefined ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      target.closest("input, textarea, select, dialog")
    )
      return;
    event.preventDefault();
    const at = props.rows.findIndex((alert) => alert.alert_id === props.selected);
    const next = props.rows[Math.min(props.rows.length - 1, Math.max(0, at + by))];
    if (!next) return;
    go(`${link("/alerts", next.alert_id)}${search()}`, { replace: at >= 0 });
    document.getElementById(`alert-${next.alert_id}`)?.scrollIntoView({ block: "nearest" });
  };
  onMount(() => addEventListener("keydown", press));
  onCleanup(() => removeEventListener("keydown", press));
}

const Row: Component<RowProps & { alert: Alert }> = (props) => {
  const id = () => props.alert.alert_id;
  const about = () => `${kindOf(props.alert.alert_type).title}, ${line(props.alert.service_name, 60)}`;
  return (
    <li
      class={`alert-row s-${props.alert.severity}`}
      id={`alert-${id()}`}
      classList={{ selected: props.isSelected(id()) }}
    >
      <label class="pick">
        <input
          type="checkbox"
          aria-label={`Select ${about()}`}
          checked={props.isMarked(id())}
          disabled={props.alert.acked}
          onChange={(event) => props.mark(id(), event.currentTarget.checked)}
        />
      </label>
      <A
        href={`${link("/alerts", id())}${search()}`}
        class="what"
        aria-current={props.isSelected(id()) ? "true" : undefined}
      >
        <Tag state={props.alert.severity}>
          {kindOf(props.alert.alert_type).title}
          <span class="hidden-text"> ({props.alert.severity})</span>
        </Tag>
        <Clip text={props.alert.service_name} limit={80} class="who" />
        <Clip text={props.alert.message ?? kindOf(props.alert.alert_type).means} limit={200} class="muted" />
      </A>
      <span class="when">
        <Show when={mutedUntil(props.alert, now())}>
          <Tag state="paused">muted</Tag>
        </Show>
        <Age at={props.alert.ts} />
      </span>
      <Show when={!props.alert.acked} fallback={<span class="muted acked">acknowledged</span>}>
        <button
          type="button"
          class="ack"
          aria-label={`Acknowledge ${about()}`}
          onClick={() => void acknowledgeAlerts([id()], about())}
        >
          Acknowledge
        </button>
      </Show>
    </li>
  );
};
