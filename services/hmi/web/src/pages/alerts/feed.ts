// The alerts that fit a filter: from the monitor page by page, and from the stream as they come.

import { type Accessor, createEffect, createMemo, createSignal, on, onCleanup } from "solid-js";
import { get, query } from "../../api/client";
import type { Alert, AlertPage } from "../../api/types";
import { alerts } from "../../live/store";
import { type Filter, type Loaded, NOTHING, type Order, merged, questions, withPage } from "./list";

const PAGE = 100;

export interface Feed {
  rows: Accessor<Alert[]>;
  /** All that fit are there. */
  complete: Accessor<boolean>;
  loading: Accessor<boolean>;
  /** Why the latest page did not come. */
  error: Accessor<string | undefined>;
  /** Asks for the next page, unless one is on its way. */
  more(): void;
}

export function feed(filter: Accessor<Filter>, order: Accessor<Order>): Feed {
  const [loaded, setLoaded] = createSignal<Loaded>(NOTHING);
  const [loading, setLoading] = createSignal(false);
  const [error, setError] = createSignal<string>();
  let asking: AbortController | undefined;

  const more = async (): Promise<void> => {
    const asked = questions(filter(), order());
    const next = asked[loaded().question];
    if (asking || !next) return;
    const mine = new AbortController();
    asking = mine;
    setLoading(true);
    try {
      const page = await get<AlertPage>(
        `/api/monitor/alerts${query({ ...next, cursor: loaded().cursor, limit: PAGE })}`,
        mine.signal,
      );
      if (asking !== mine) return;
      setLoaded(withPage(loaded(), page, asked.length));
      setError(undefined);
    } catch (reason) {
      if (asking !== mine) return;
      setError((reason as Error).message);
    }
    asking = undefined;
    setLoading(false);
  };
  createEffect(
    on([filter, order], () => {
      asking?.abort();
      asking = undefined;
      setLoaded(NOTHING);
      setError(undefined);
      void more();
    }),
  );
  onCleanup(() => asking?.abort());

  const rows = createMemo(() => {
    // While the monitor is away, what the stream tells is all that there is.
    const told = error() !== undefined && loaded().alerts.length === 0 ? { ...NOTHING, complete: true } : loaded();
    return merged(told, alerts(), filter(), order());
  });
  return { rows, complete: () => loaded().complete, loading, error, more: () => void more() };
}

/** Alerts that go into one file. */
const EXPORTED = 100_000;

/** All alerts of the monitor's history that fit. */
export async function everything(filter: Filter, order: Order): Promise<Alert[]> {
  const found: Alert[] = [];
  for (const question of questions(filter, order)) {
    let cursor: string | null = null;
    do {
      const page: AlertPage = await get<AlertPage>(`/api/monitor/alerts${query({ ...question, cursor, limit: 1_000 })}`);
      found.push(...page.alerts);
      if (found.length > EXPORTED) throw new Error(`more than ${EXPORTED} alerts fit: choose fewer`);
      cursor = page.next_cursor;
    } while (cursor !== null);
  }
  return found;
}

/** Pages that are looked through for one alert: there is no question for one alone. */
const SEARCHED = { pages: 20, limit: 1_000 };

/** One alert of the monitor's history; nothing when it isn't among the newest. */
export async function find(id: string, signal: AbortSignal): Promise<Alert | undefined> {
  let cursor: string | null = null;
  for (let page = 0; page < SEARCHED.pages; page += 1) {
    const answer: AlertPage = await get<AlertPage>(
      `/api/monitor/alerts${query({ cursor, limit: SEARCHED.limit })}`,
      signal,
    );
    const found = answer.alerts.find((alert) => alert.alert_id === id);
    if (found || answer.next_cursor === null) return found;
    cursor = answer.next_cursor;
  }
  return undefined;
}
