// A table of any length: only the rows that can be seen are there. Its head sticks, j and k go from row to row.

import { type Component, For, type JSX, Show, createEffect, createMemo, createSignal, onCleanup, onMount } from "solid-js";
import { go } from "../lib/url";
import { A } from "./basic";

const ROW = 36;
/** Rows beyond the edge that are there too. */
const BEYOND = 8;

export interface Column<T> {
  title: string;
  /** As CSS says it: `80px`, `minmax(120px, 2fr)`. */
  width: string;
  right?: boolean;
  cell: (row: T) => JSX.Element;
}

interface Props<T> {
  label: string;
  rows: T[];
  columns: Column<T>[];
  id: (row: T) => string;
  /** Where a row leads. */
  href: (row: T) => string;
  selected?: string;
  /** The least width, below which it scrolls sideways. */
  min?: number;
  /** How high it may be, as CSS says it. */
  height?: string;
  empty: JSX.Element;
  /** Called when the end comes into sight. */
  more?: () => void;
}

export function Table<T>(props: Props<T>): ReturnType<Component> {
  let box!: HTMLDivElement;
  const [top, setTop] = createSignal(0);
  const [high, setHigh] = createSignal(600);
  const first = createMemo(() => Math.max(0, Math.floor(top() / ROW) - BEYOND));
  const last = createMemo(() => Math.min(props.rows.length, Math.ceil((top() + high()) / ROW) + BEYOND));
  const seen = createMemo(() => props.rows.slice(first(), last()));

  // The box is there only while there are rows.
  const sized = new ResizeObserver(([entry]) => entry && setHigh(entry.target.clientHeight));
  onCleanup(() => sized.disconnect());
  const measure = (it: HTMLDivElement): void => {
    sized.disconnect();
    sized.observe(it);
    box = it;
    setTop(0);
  };
  createEffect(() => {
    if (last() === props.rows.length && props.rows.length > 0) props.more?.();
  });

  const index = (): number => props.rows.findIndex((row) => props.id(row) === props.selected);
  const step = (by: number): void => {
    const next = Math.min(props.rows.length - 1, Math.max(0, index() + by));
    const row = props.rows[next];
    if (!row) return;
    const at = next * ROW;
    if (at < box.scrollTop) box.scrollTop = at;
    else if (at + ROW * 2 > box.scrollTop + box.clientHeight) box.scrollTop = at + ROW * 2 - box.clientHeight;
    go(props.href(row), { replace: index() >= 0 });
  };
  const key = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select, dialog")) return;
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else return;
    event.preventDefault();
  };
  onMount(() => {
    addEventListener("keydown", key);
    onCleanup(() => removeEventListener("keydown", key));
  });

  const columns = () => props.columns.map((column) => column.width).join(" ");
  return (
    <Show when={props.rows.length > 0} fallback={props.empty}>
      <div
        class="table"
        role="table"
        aria-label={props.label}
        aria-rowcount={props.rows.length + 1}
        tabindex="0"
        ref={measure}
        onScroll={() => setTop(box.scrollTop)}
        style={{ "max-height": props.height ?? "70vh", "--columns": columns(), "--width": `${props.min ?? 0}px` }}
      >
        <div class="head" role="row" aria-rowindex="1">
          <For each={props.columns}>
            {(column) => (
              <span role="columnheader" classList={{ right: column.right }}>
                {column.title}
              </span>
            )}
          </For>
        </div>
        <div class="rows" role="rowgroup" style={{ height: `${props.rows.length * ROW}px` }}>
          <For each={seen()}>
            {(row, at) => (
              <A
                class="row"
                role="row"
                href={props.href(row)}
                aria-rowindex={first() + at() + 2}
                aria-selected={props.id(row) === props.selected}
                style={{ top: `${(first() + at()) * ROW}px` }}
              >
                <For each={props.columns}>
                  {(column) => (
                    <span role="cell" classList={{ right: column.right }}>
                      {column.cell(row)}
                    </span>
                  )}
                </For>
              </A>
            )}
          </For>
        </div>
      </div>
    </Show>
  );
}
