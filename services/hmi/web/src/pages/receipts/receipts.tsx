// Every call that went through the gateway, live, and each as a story.

import { type Component, Show, createEffect, onCleanup, onMount } from "solid-js";
import { isPhone } from "../../lib/media";
import { line } from "../../lib/text";
import { go, search, selected } from "../../lib/url";
import { A } from "../../parts/basic";
import { Exporting } from "./exporting";
import { Filters } from "./filters";
import { List } from "./list";
import { Story } from "./story";
import "./receipts.css";

const Page: Component = () => {
  const run_id = () => selected("/receipts");
  const close = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement;
    if (event.key !== "Escape" || run_id() === undefined || target.closest("input, textarea, select, dialog")) return;
    go(`/receipts${search()}`);
  };
  onMount(() => addEventListener("keydown", close));
  onCleanup(() => removeEventListener("keydown", close));
  createEffect(() => {
    // On a phone the story takes the list's place: one begins to read it at its beginning.
    if (run_id() !== undefined && isPhone()) scrollTo({ top: 0 });
  });
  return (
    <div class="receipts" classList={{ opened: run_id() !== undefined }}>
      <div class="page-head">
        <h1>Receipts</h1>
        <span class="space" />
        <Exporting />
      </div>
      <div class="receipts-list">
        <Filters />
        <List selected={run_id()} />
      </div>
      <Show when={run_id()} keyed>
        {(run_id) => (
          <section class="panel receipt" aria-label="Receipt">
            <header>
              <h2 class="clip">{line(run_id, 80)}</h2>
              <span class="space" />
              <A href={`/receipts${search()}`} class="button">
                {isPhone() ? "All calls" : "Close"}
              </A>
            </header>
            <div class="body">
              <Story run_id={run_id} patient />
            </div>
          </section>
        )}
      </Show>
    </div>
  );
};

export default Page;
