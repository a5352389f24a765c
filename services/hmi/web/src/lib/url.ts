// The URL is the state: which page, and every selection, filter, range and tab on it.

import { createRoot, createSignal } from "solid-js";

export interface Place {
  path: string;
  query: URLSearchParams;
}

function here(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

const [place, setPlace] = createRoot(() => createSignal<Place>(here()));

addEventListener("popstate", () => setPlace(here()));

/** The path that is shown. */
export const path = (): string => place().path;

/** A part of the query, or nothing. */
export const param = (name: string): string | undefined => place().query.get(name) ?? undefined;

/** The whole query, as it stands behind a path; nothing where there is none. */
export function search(): string {
  const text = place().query.toString();
  return text === "" ? "" : `?${text}`;
}

/** The segment behind a page's path, decoded: what is selected there. */
export function selected(page: string): string | undefined {
  const rest = path().startsWith(`${page}/`) ? path().slice(page.length + 1) : "";
  return rest === "" ? undefined : decode(rest);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Goes to another place, to another page at its beginning; `replace` leaves none behind to come back to. */
export function go(to: string, { replace = false } = {}): void {
  const url = new URL(to, location.href);
  if (url.href === location.href) return;
  const before = path();
  if (replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  setPlace(here());
  if (!replace && pageOf(before) !== pageOf(path())) scrollTo({ top: 0, behavior: "instant" });
}

/** The page of a path: what is selected on it is no other page. */
const pageOf = (path: string): string | undefined => path.split("/")[1];

/** Changes parts of the query; what is undefined or empty is taken out. */
export function setParams(changes: Record<string, string | undefined>, { replace = true } = {}): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  go(text === "" ? location.pathname : `${location.pathname}?${text}`, { replace });
}

/** The path of something on a page. */
export const link = (page: string, id: string): string => `${page}/${encodeURIComponent(id)}`;
