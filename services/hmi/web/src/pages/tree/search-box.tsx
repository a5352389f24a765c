// Looks for somebody by name: the next by Enter, the one before by Shift and Enter.

import { type Component, Show, createEffect, on } from "solid-js";
import { count } from "../../lib/format";
import { setParams } from "../../lib/url";
import { searched } from "./place";
import { around } from "./search";

interface Props {
  found: string[];
  current: string | undefined;
  /** Shows this one. */
  visit: (key: string) => void;
  /** Chooses this one. */
  open: (key: string) => void;
}

export const Search: Component<Props> = (props) => {
  const at = () => props.found.indexOf(props.current ?? "");
  const visit = (place: number): void => {
    const key = props.found[place];
    if (key !== undefined) props.visit(key);
  };
  // Whoever is found first is shown at once.
  createEffect(on(searched, (text) => text.trim() !== "" && at() < 0 && visit(0)));
  const press = (event: KeyboardEvent): void => {
    if (event.key === "Enter") {
      const there = props.found[at()];
      if ((event.ctrlKey || event.metaKey) && there !== undefined) props.open(there);
      else visit(at() < 0 ? 0 : around(at(), event.shiftKey ? -1 : 1, props.found.length));
    } else if (event.key === "Escape") setParams({ q: undefined });
    else return;
    event.preventDefault();
  };
  return (
    <span class="tree-search">
      <input
        type="search"
        data-search
        aria-label="Search agents and services by name"
        placeholder="Search by name ( / )"
        title="Enter: the next one. Shift Enter: the one before. Ctrl Enter: choose it."
        value={searched()}
        maxLength={200}
        onInput={(event) => setParams({ q: event.currentTarget.value })}
        onKeyDown={press}
      />
      <span class="muted num nowrap" role="status">
        <Show when={searched().trim() !== ""}>
          {props.found.length === 0 ? "nobody" : `${count(Math.max(0, at()) + 1)} of ${count(props.found.length)}`}
        </Show>
      </span>
      <Show when={props.found.length > 0}>
        <button
          type="button"
          aria-label="The one before"
          onClick={() => visit(around(Math.max(0, at()), -1, props.found.length))}
        >
          ‹
        </button>
        <button type="button" aria-label="The next one" onClick={() => visit(around(at(), 1, props.found.length))}>
          ›
        </button>
        <Show when={at() >= 0}>
          <button type="button" onClick={() => props.open(props.found[at()] ?? "")}>
            Choose
          </button>
        </Show>
      </Show>
    </span>
  );
};
