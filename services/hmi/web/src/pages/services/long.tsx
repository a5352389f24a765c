// Text of others that may be long: its beginning, and the rest for whoever wants it.

import { type Component, Show } from "solid-js";
import { block, line } from "../../lib/text";

const BEGINNING = 240;

export const Long: Component<{ text: string }> = (props) => (
  <Show when={props.text.length > BEGINNING} fallback={<span class="wrap">{line(props.text, BEGINNING)}</span>}>
    <details class="long">
      <summary class="wrap">{line(props.text, BEGINNING)}</summary>
      <p class="wrap">{block(props.text, 4_000)}</p>
    </details>
  </Show>
);
