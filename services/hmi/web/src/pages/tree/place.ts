// What of the tree stands in the URL: who is chosen, whose subtree is looked at, what is closed, what is searched for.

import { createMemo, createRoot, createSignal } from "solid-js";
import { link, param, search, selected, setParams } from "../../lib/url";
import { decodeKeys, encodeKeys } from "./keys";

export const PAGE = "/tree";

/** More than so many characters of closed keys are not put into the URL. */
const LONGEST = 1_500;

export const chosen = (): string | undefined => selected(PAGE);
export const focused = (): string | undefined => param("focus");
export const searched = (): string => param("q") ?? "";

/** The address of a node, or of none, that leaves all else on the page as it is. */
export const hrefOf = (key?: string): string => (key === undefined ? PAGE : link(PAGE, key)) + search();

// What is closed, when it is too much for the URL.
const [many, setMany] = createRoot(() => createSignal<ReadonlySet<string>>(new Set()));

export const closed = createRoot(() =>
  createMemo((): ReadonlySet<string> => {
    const text = param("closed");
    return text === undefined ? many() : new Set(decodeKeys(text));
  }),
);

export function close(keys: ReadonlySet<string>): void {
  const text = encodeKeys(keys);
  const short = text.length <= LONGEST;
  setMany(short ? new Set<string>() : keys);
  setParams({ closed: short ? text : undefined });
}

/** Opens what is closed, closes what is open. */
export function toggle(key: string): void {
  const next = new Set(closed());
  if (!next.delete(key)) next.add(key);
  close(next);
}

/** Shows all of these, whatever was closed. */
export function open(keys: Iterable<string>): void {
  const next = new Set(closed());
  let changed = false;
  for (const key of keys) changed = next.delete(key) || changed;
  if (changed) close(next);
}
