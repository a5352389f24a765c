// The tree as a list to go through with keys, and to be read out. Only the rows that can be seen are there.

import {
  type Component,
  For,
  Show,
  createComputed,
  createEffect,
  createMemo,
  createSignal,
  on,
  onCleanup,
  onMount,
} from "solid-js";
import { go } from "../../lib/url";
import { Mark } from "../../parts/state";
import type { TreeNode } from "./forest";
import type { Model } from "./model";
import { chosen, hrefOf, toggle } from "./place";
import { type Row, move, typed } from "./rows";

const ROW = 30;
/** Rows beyond the edge that are there too. */
const BEYOND = 8;
/** Letters that come within this time belong together. */
const TYPED_MS = 700;
const INDENT = 12;
/** Deeper rows are not indented further: their names would have no room. */
const DEEPEST = 12;

export const Outline: Component<{ model: Model; current: string | undefined }> = (props) => {
  let box: HTMLDivElement | undefined;
  const { model } = props;
  const items = new Map<string, HTMLElement>();
  const [top, setTop] = createSignal(0);
  const [high, setHigh] = createSignal(600);
  const [wanted, setWanted] = createSignal<string>();
  const placeOf = createMemo(() => new Map(model.rows().map(({ node }, at) => [node.key, at])));
  // The one row that the Tab key comes to.
  const active = createMemo(() => placeOf().get(wanted() ?? chosen() ?? "") ?? placeOf().get(chosen() ?? "") ?? 0);
  const found = createMemo(() => new Set(model.found()));
  // By key, so that a row that stays keeps its element, and the focus.
  const keys = createMemo(() => {
    const rows = model.rows();
    const first = Math.max(0, Math.floor(top() / ROW) - BEYOND);
    const seen = rows.slice(first, Math.ceil((top() + high()) / ROW) + BEYOND).map(({ node }) => node.key);
    // The row with the focus is there even when it isn't seen.
    const there = rows[active()]?.node.key;
    if (there === undefined || seen.includes(there)) return seen;
    return active() < first ? [there, ...seen] : [...seen, there];
  });

  const scrollTo = (at: number): void => {
    if (!box) return;
    if (at * ROW < box.scrollTop) box.scrollTop = at * ROW;
    else if ((at + 1) * ROW > box.scrollTop + box.clientHeight) box.scrollTop = (at + 1) * ROW - box.clientHeight;
  };
  const focus = (at: number): void => {
    const row = model.rows()[at];
    if (!row) return;
    setWanted(row.node.key);
    scrollTo(at);
    items.get(row.node.key)?.focus({ preventScroll: true });
  };
  // An element that is moved among others loses the focus: whoever had it gets it back.
  let focused = false;
  createComputed(on(keys, () => (focused = box?.contains(document.activeElement) ?? false)));
  createEffect(
    on(keys, () => {
      const key = model.rows()[active()]?.node.key;
      if (focused && key !== undefined && !box?.contains(document.activeElement))
        items.get(key)?.focus({ preventScroll: true });
    }),
  );
  onMount(() => {
    if (!box) return;
    const element = box;
    const sized = new ResizeObserver(() => setHigh(element.clientHeight));
    sized.observe(element);
    onCleanup(() => sized.disconnect());
  });
  // Who is chosen elsewhere comes into sight here.
  createEffect(
    on([chosen, () => props.current], ([chosen, current], before) => {
      const key = current !== undefined && before?.[1] !== current ? current : chosen;
      const at = key === undefined ? undefined : placeOf().get(key);
      if (at === undefined) return;
      setWanted(key);
      queueMicrotask(() => scrollTo(at));
    }),
  );

  let letters = "";
  let last = -Infinity;
  // What else than letters stands in names belongs to one that was begun; else it is a key of the page.
  const isTyped = (key: string): boolean =>
    /^[\p{L}\p{N}]$/u.test(key) || (/^\S$/u.test(key) && performance.now() - last < TYPED_MS);
  const press = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = model.rows();
    const row = rows[active()];
    const does = move(rows, active(), event.key, Math.max(1, Math.floor(high() / ROW) - 1));
    if (does) {
      last = -Infinity;
      if ("to" in does) focus(does.to);
      else toggle(does.toggle);
    } else if (event.key === "Enter" && row) go(hrefOf(row.node.key));
    else if (event.key === " " && row?.open !== undefined) toggle(row.node.key);
    else if (isTyped(event.key)) {
      const now = performance.now();
      letters = now - last < TYPED_MS ? letters + event.key : event.key;
      last = now;
      const at = typed(rows, active(), letters);
      if (at !== undefined) focus(at);
    } else return;
    event.preventDefault();
    // The page's keys are letters too.
    event.stopPropagation();
  };

  return (
    <div
      class="tree-outline"
      role="tree"
      aria-label="Outline of the tree"
      ref={box}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      onKeyDown={press}
    >
      <div class="tree-rows" role="presentation" style={{ height: `${model.rows().length * ROW}px` }}>
        <For each={keys()}>
          {(key) => (
            <Show when={model.rows()[placeOf().get(key) ?? -1]}>
              {(row) => (
                <Item
                  row={row()}
                  at={placeOf().get(key) ?? 0}
                  model={model}
                  active={placeOf().get(key) === active()}
                  found={found().has(key)}
                  current={props.current === key}
                  reference={(element) => items.set(key, element)}
                  gone={(element) => items.get(key) === element && items.delete(key)}
                  chosen={() => setWanted(key)}
                />
              )}
            </Show>
          )}
        </For>
      </div>
    </div>
  );
};

interface ItemProps {
  row: Row;
  at: number;
  model: Model;
  active: boolean;
  found: boolean;
  current: boolean;
  reference: (element: HTMLElement) => void;
  gone: (element: HTMLElement) => void;
  chosen: () => void;
}

const Item: Component<ItemProps> = (props) => {
  let element!: HTMLDivElement;
  const node = (): TreeNode => props.row.node;
  const look = () => props.model.look(node());
  const hidden = () => props.row.open === false && props.model.version() >= 0 && props.model.badBelow(node()) > 0;
  onMount(() => props.reference(element));
  onCleanup(() => props.gone(element));
  const choose = (event: MouseEvent): void => {
    props.chosen();
    if ((event.target as HTMLElement).closest(".twist")) toggle(node().key);
    else go(hrefOf(node().key));
  };
  return (
    <div
      ref={element}
      role="treeitem"
      class="tree-row"
      classList={{ found: props.found, current: props.current }}
      tabindex={props.active ? 0 : -1}
      aria-level={props.row.level}
      aria-setsize={props.row.of}
      aria-posinset={props.row.place}
      aria-expanded={props.row.open}
      aria-selected={chosen() === node().key}
      onClick={choose}
      style={{ top: `${props.at * ROW}px`, "padding-left": `${(Math.min(props.row.level, DEEPEST) - 1) * INDENT}px` }}
    >
      <span class="twist" aria-hidden="true">
        {props.row.open === undefined ? "" : props.row.open ? "▾" : "▸"}
      </span>
      <span class="state" aria-hidden="true">
        <Mark state={look().state} />
      </span>
      <span class="clip name" title={node().name}>
        {node().name}
      </span>
      <span class="clip note num">{hidden() ? `${props.model.badBelow(node())} below need a look` : look().note}</span>
    </div>
  );
};
