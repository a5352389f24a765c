// Keys that hold everywhere, and the sheet that lists them.

import { type Component, For, Show, createSignal, onCleanup, onMount } from "solid-js";
import { go } from "../lib/url";
import { openPalette } from "./palette";
import { PAGES } from "./pages";

const [sheet, setSheet] = createSignal(false);

export const openSheet = (): void => void setSheet(true);

const KEYS: [string, string][] = [
  ["/", "search on this page, or for anything"],
  ["Ctrl K", "go to anything, do anything"],
  ["j k", "next and previous row"],
  ["Enter", "open what has the focus"],
  ["Esc", "close, or leave the selection"],
  ["?", "this sheet"],
  ...PAGES.map(({ key, title }): [string, string] => [`g ${key}`, title]),
];

/** To the search of the page, or to that of everything where it has none. */
function find(): void {
  const search = document.querySelector<HTMLInputElement>("[data-search]");
  if (search) search.focus();
  else openPalette();
}

/** How long `g` waits for the letter of a page. */
const CHORD_MS = 1_200;

export function useKeys(): void {
  let chord = 0;
  const press = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      // A question that is open is answered first.
      if (!document.querySelector("dialog[open]")) openPalette();
      return;
    }
    const writing = target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape" && writing instanceof HTMLElement) writing.blur();
    if (event.ctrlKey || event.metaKey || event.altKey || writing || document.querySelector("dialog[open]")) return;
    const chosen = performance.now() - chord < CHORD_MS ? PAGES.find(({ key }) => key === event.key) : undefined;
    chord = event.key === "g" ? performance.now() : 0;
    if (chosen) go(chosen.path);
    else if (event.key === "/") find();
    else if (event.key === "?") openSheet();
    else return;
    event.preventDefault();
  };
  onMount(() => addEventListener("keydown", press));
  onCleanup(() => removeEventListener("keydown", press));
}

/** Esc leaves what is selected: goes where `leave` says, if it says anything. */
export function useEscape(leave: () => string | undefined): void {
  const press = (event: KeyboardEvent): void => {
    const writing = (event.target as HTMLElement).closest("input, textarea, select");
    const to = leave();
    if (event.key === "Escape" && !writing && to !== undefined && !document.querySelector("dialog[open]")) go(to);
  };
  onMount(() => addEventListener("keydown", press));
  onCleanup(() => removeEventListener("keydown", press));
}

export const KeySheet: Component = () => (
  <Show when={sheet()}>
    <dialog
      aria-label="Keys"
      ref={(dialog) => queueMicrotask(() => dialog.showModal())}
      onClose={() => setSheet(false)}
    >
      <div class="inside">
        <h2>Keys</h2>
        <dl class="kv">
          <For each={KEYS}>
            {([keys, what]) => (
              <>
                <dt>
                  <For each={keys.split(" ")}>{(key) => <kbd>{key}</kbd>}</For>
                </dt>
                <dd>{what}</dd>
              </>
            )}
          </For>
        </dl>
        <form method="dialog" class="buttons">
          <button type="submit">Close</button>
        </form>
      </div>
    </dialog>
  </Show>
);
