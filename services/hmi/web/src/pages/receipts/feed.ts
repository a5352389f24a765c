// The list of calls while it grows at both ends: pages of the gateway at its end, and on top what events tell.

import { type Row, compare } from "./row";

/** Calls that events put on top, at the most; beyond it the list is loaded anew. */
const LIVE = 2_000;

export class Feed {
  /** What is shown, the latest first. A new list whenever it changes. */
  rows: readonly Row[] = [];
  /** Where the next page begins; null at the end, undefined before the first page. */
  next: string | null | undefined;
  /** Whether events told of more than is kept: then it is loaded anew rather than shown. */
  overflown = false;

  private known = new Set<string>();
  /** What events told, and isn't shown yet. */
  private waiting: Row[] = [];
  /** What events told of calls so old that the page that has them isn't loaded yet. */
  private early: Row[] = [];
  private live = 0;
  private missed = 0;
  /** From when on all calls are known. */
  private reached = Infinity;

  /** A list that is asked for at this time. */
  constructor(private readonly asked_at: number) {}

  /** How many wait to be shown. */
  get fresh(): number {
    return this.waiting.length + this.missed;
  }

  /** A page of the gateway. */
  page(rows: Row[], next: string | null): void {
    this.next = next;
    this.reached = next === null ? -Infinity : Math.min(this.reached, rows.at(-1)?.at ?? this.asked_at);
    const told = this.early.filter((row) => row.at >= this.reached);
    this.early = this.early.filter((row) => row.at < this.reached);
    this.put(this.unknown([...rows, ...told]));
  }

  /** What an event told. It waits until it may be shown: nothing moves under its reader's eyes. */
  event(row: Row): void {
    if (this.known.has(row.run_id)) return;
    if (row.at < this.reached) {
      if (this.early.length < LIVE && !this.early.some(({ run_id }) => run_id === row.run_id)) this.early.push(row);
      return;
    }
    this.overflown = this.live === LIVE;
    if (this.overflown) {
      this.missed += 1;
      return;
    }
    this.live += 1;
    this.known.add(row.run_id);
    this.waiting.push(row);
  }

  /** Shows what waits. */
  show(): void {
    const waiting = this.waiting;
    this.waiting = [];
    if (waiting.length > 0) this.put(waiting);
  }

  private unknown(rows: Row[]): Row[] {
    return rows.filter(({ run_id }) => {
      const unknown = !this.known.has(run_id);
      this.known.add(run_id);
      return unknown;
    });
  }

  private put(more: Row[]): void {
    const last = this.rows.at(-1);
    const follows = last === undefined || more.every((row) => compare(last, row) <= 0);
    if (follows) this.rows = [...this.rows, ...more.sort(compare)];
    else this.rows = merged(this.rows, more.sort(compare));
  }
}

function merged(a: readonly Row[], b: readonly Row[]): Row[] {
  const rows: Row[] = [];
  let at = 0;
  for (const row of b) {
    for (let one = a[at]; one !== undefined && compare(one, row) <= 0; one = a[at]) {
      rows.push(one);
      at += 1;
    }
    rows.push(row);
  }
  for (; at < a.length; at += 1) rows.push(a[at] as Row);
  return rows;
}
