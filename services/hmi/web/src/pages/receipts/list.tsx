// Every call, the latest first: pages as the end comes into sight, and on top what happens now.

import { type Component, Show, batch, createEffect, createSignal, on, onCleanup, onMount, untrack } from "solid-js";
import { serverTime } from "../../lib/time";
import { count } from "../../lib/format";
import { isPhone } from "../../lib/media";
import { link, search } from "../../lib/url";
import { hello, link as stream, onEvent } from "../../live/store";
import { Empty, Panel } from "../../parts/basic";
import { Table } from "../../parts/table";
import { columns } from "./columns";
import { Feed } from "./feed";
import { filterKey, filterOf, isFiltered } from "./filters";
import { page } from "./load";
import { type Filter, type Row, admits, ofEvent, ofReceipt } from "./row";

/** Events are put in together, at most so often; and drawing takes at most one part in so many of the time. */
const DRAW_MS = 80;
const SHARE = 8;
/** A gateway that is away is asked again so often. */
const AGAIN_MS = 3_000;
/** Rows that fill the window; a rare filter is looked for further back until it has them, but not for ever. */
const FILL = 40;
const STRAIGHT = 10;

export const List: Component<{ selected: string | undefined }> = (props) => {
  const [rows, setRows] = createSignal<Row[]>([]);
  const [fresh, setFresh] = createSignal(0);
  const [loading, setLoading] = createSignal(true);
  const [next, setNext] = createSignal<string | null>();
  const [at, setAt] = createSignal<number>();
  const [error, setError] = createSignal<string>();
  /** Something may have happened that was not heard, while its reader looked elsewhere. */
  const [gap, setGap] = createSignal(false);
  let box!: HTMLDivElement;
  let feed = new Feed(serverTime());
  let coming: Feed | undefined;
  let filter: Filter = {};
  let abort = new AbortController();
  let isHeld = false;

  const show = (): void => {
    if (!isHeld) feed.show();
    batch(() => {
      setRows(feed.rows as Row[]);
      setFresh(feed.fresh);
      setNext(feed.next);
    });
  };
  /** Loads the list from its beginning; what was there stays until it has come. */
  const begin = async (): Promise<void> => {
    abort.abort();
    abort = new AbortController();
    const asked_at = serverTime();
    filter = untrack(() => filterOf(asked_at));
    coming = new Feed(asked_at);
    setGap(false);
    await load(coming, 0);
  };
  const load = async (into: Feed, straight: number): Promise<void> => {
    const { signal } = abort;
    setLoading(true);
    try {
      const { receipts, next_cursor } = await page(filter, into.next ?? undefined, signal);
      into.page(receipts.map(ofReceipt), next_cursor);
      if (into === coming) [feed, coming] = [into, undefined];
      setAt(serverTime());
      setError(undefined);
      setLoading(false);
      show();
    } catch (reason) {
      if (signal.aborted) return;
      setLoading(false);
      setError((reason as Error).message);
      setTimeout(() => !signal.aborted && (into === coming ? void begin() : void load(into, straight)), AGAIN_MS);
      return;
    }
    if (into.next !== null && into.rows.length < FILL && straight < STRAIGHT) await load(into, straight + 1);
  };
  const more = (): void => {
    if (!untrack(loading) && feed.next) void load(feed, STRAIGHT);
  };

  createEffect(on(filterKey, () => void begin()));
  // Whoever heard nothing for a while has missed what happened meanwhile.
  createEffect(
    on(
      () => stream().live,
      (live, before) => {
        if (!live || before !== false) return;
        if (isHeld) setGap(true);
        else void begin();
      },
    ),
  );

  let drawing: ReturnType<typeof setTimeout> | undefined;
  let cost_ms = 0;
  const draw = (): void => {
    drawing = undefined;
    if (feed.overflown && !isHeld) {
      if (!coming) void begin();
      return;
    }
    const began = performance.now();
    show();
    cost_ms = performance.now() - began;
  };
  onCleanup(
    onEvent((event) => {
      if (event.event_type !== "receipt") return;
      const row = ofEvent(event);
      if (!admits(filter, row)) return;
      feed.event(row);
      coming?.event(row);
      drawing ??= setTimeout(draw, Math.max(DRAW_MS, cost_ms * SHARE));
    }),
  );
  onCleanup(() => {
    abort.abort();
    clearTimeout(drawing);
  });
  onMount(() => {
    const scrolled = (event: Event): void => {
      isHeld = (event.target as HTMLElement).scrollTop > 20;
      if (!isHeld && feed.fresh > 0) draw();
    };
    // A scroll does not bubble: it is caught on its way down.
    box.addEventListener("scroll", scrolled, { capture: true, passive: true });
  });
  const toTop = (): void => {
    isHeld = false;
    box.querySelector(".table")?.scrollTo({ top: 0 });
    if (gap()) void begin();
    else draw();
  };

  return (
    <Panel
      title="Calls"
      source={{ at, error }}
      flush
      class="calls"
      actions={<Known rows={rows().length} next={next()} loading={loading()} />}
    >
      <div class="calls-list" ref={box}>
        <Show when={fresh() > 0 || gap()}>
          <button type="button" class="primary fresh" onClick={toTop}>
            ↑ {gap() ? "Load what is new" : `${count(fresh())} new`}
          </button>
        </Show>
        <Table
          label="Calls, the latest first"
          rows={rows()}
          columns={columns(props.selected !== undefined)}
          id={(row) => row.run_id}
          href={(row) => link("/receipts", row.run_id) + search()}
          selected={props.selected}
          min={isPhone() ? 0 : props.selected === undefined ? 900 : 540}
          height="calc(100vh - 240px)"
          more={more}
          empty={<Nothing loading={loading()} next={next()} error={error()} further={more} />}
        />
      </div>
    </Panel>
  );
};

/** How much of it is known: a page of a list is not all of it. */
const Known: Component<{ rows: number; next: string | null | undefined; loading: boolean }> = (props) => (
  <span class="muted num" role="status">
    {count(props.rows)} {props.next === null ? "in all" : "loaded, more behind them"}
    {props.loading ? " · loading…" : ""}
  </span>
);

const Nothing: Component<{ loading: boolean; next: string | null | undefined; error?: string; further: () => void }> = (
  props,
) => (
  <Show
    when={!props.loading && props.error === undefined}
    fallback={<p class="empty">{props.loading ? "Looking…" : "Nothing is known yet."}</p>}
  >
    <Show
      when={props.next === null}
      fallback={
        <div class="empty">
          None among the latest calls.{" "}
          <button type="button" onClick={() => props.further()}>
            Look further back
          </button>
        </div>
      }
    >
      <Show when={!isFiltered()} fallback={<p class="empty">No call fits these filters. “Show all” takes them off.</p>}>
        <Empty command={FIRST.replace("GATEWAY", hello()?.urls.gateway ?? "http://127.0.0.1:6120")}>
          No call has gone through the gateway yet. Make one, in the playground or from a shell:
        </Empty>
      </Show>
    </Show>
  </Show>
);

const FIRST = `curl -sS GATEWAY/invoke -H 'content-type: application/json' -d '{"target":{"type":"model","role":"production","require_caps":["classify"]},"payload":{"text":"quantum entanglement physics"}}'`;
