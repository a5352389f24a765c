// How wide the window is, for what a style sheet alone can't decide.

import { type Accessor, createSignal } from "solid-js";

function media(query: string): Accessor<boolean> {
  const list = matchMedia(query);
  const [fits, setFits] = createSignal(list.matches);
  list.addEventListener("change", () => setFits(list.matches));
  return fits;
}

/** One column, as the style sheets have it. */
export const isPhone = media("(max-width: 760px)");
