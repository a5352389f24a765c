// What this browser remembers of its user's wishes.

import { createEffect, createRoot, createSignal, type Setter } from "solid-js";

export type Theme = "system" | "light" | "dark";
export const FREQUENCIES_S = [1, 5, 10] as const;

interface Prefs {
  theme: Theme;
  /** Seconds between two looks at what isn't told by events. */
  every_s: number;
  sounds: boolean;
  narration: boolean;
  /** Hours between which nothing is heard: "22-7", or nothing. */
  quiet: string;
}

const DEFAULTS: Prefs = { theme: "system", every_s: 5, sounds: false, narration: false, quiet: "" };
const KEY = "pas.prefs";

function stored(): Prefs {
  try {
    const read = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Prefs>;
    return { ...DEFAULTS, ...read };
  } catch {
    return DEFAULTS;
  }
}

const [all, setAll] = createRoot(() => {
  const [all, setAll] = createSignal<Prefs>(stored());
  createEffect(() => {
    const { theme } = all();
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  });
  return [all, setAll as Setter<Prefs>];
});

export const prefs = all;

export function setPref<K extends keyof Prefs>(name: K, value: Prefs[K]): void {
  const next = { ...all(), [name]: value };
  setAll(next);
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
}

/** Whether `hour` lies in quiet hours such as "22-7". */
export function isQuiet(quiet: string, hour: number): boolean {
  const match = /^(\d{1,2})-(\d{1,2})$/.exec(quiet.trim());
  if (!match) return false;
  const [from, to] = [Number(match[1]), Number(match[2])];
  if (from > 23 || to > 24) return false;
  return from <= to ? hour >= from && hour < to : hour >= from || hour < to;
}
