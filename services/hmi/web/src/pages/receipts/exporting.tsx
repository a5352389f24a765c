// All calls that the filters admit, as a file.

import { type Component, Show, createSignal, onCleanup } from "solid-js";
import { serverTime } from "../../lib/time";
import { count } from "../../lib/format";
import { fileName, save } from "../../lib/save";
import { line } from "../../lib/text";
import { say } from "../../parts/dialog";
import { type Format, MOST, exported } from "./export";
import { filterOf } from "./filters";
import { pageText } from "./load";

export const Exporting: Component = () => {
  const [so_far, setSoFar] = createSignal<number>();
  let abort = new AbortController();
  onCleanup(() => abort.abort());
  const begin = async (format: Format): Promise<void> => {
    abort = new AbortController();
    const { signal } = abort;
    const filter = filterOf(serverTime());
    setSoFar(0);
    try {
      const load = (cursor: string | undefined, limit: number) => pageText(filter, cursor, limit, signal);
      const done = await exported(format, load, setSoFar);
      save(done.blob, fileName("receipts", format));
      const rest = done.more ? `: the latest ones. There are more: narrow the filters, or use pas receipts export` : "";
      say(`Saved ${count(done.count)} receipts${rest}`, done.more ? "warning" : "ok");
    } catch (error) {
      if (!signal.aborted) say(line(`Not saved: ${(error as Error).message}`, 300), "error");
    }
    setSoFar(undefined);
  };
  return (
    <Show
      when={so_far() !== undefined}
      fallback={
        <span class="filters">
          <button
            type="button"
            onClick={() => void begin("jsonl")}
            title={`All calls that fit, ${count(MOST)} at the most`}
          >
            Export JSONL
          </button>
          <button
            type="button"
            onClick={() => void begin("csv")}
            title={`All calls that fit, ${count(MOST)} at the most`}
          >
            Export CSV
          </button>
        </span>
      }
    >
      <span class="filters" role="status">
        <span class="num">{count(so_far())} receipts so far…</span>
        <button type="button" onClick={() => abort.abort()}>
          Cancel
        </button>
      </span>
    </Show>
  );
};
