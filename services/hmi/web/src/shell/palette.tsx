// Ctrl+K: everything that can be gone to or done, by a few letters of it.

import { type Component, For, Show, createMemo, createSignal } from "solid-js";
import { pause, resume } from "../acts/actions";
import { services } from "../live/store";
import { line } from "../lib/text";
import { type Theme, setPref } from "../lib/prefs";
import { go, link } from "../lib/url";
import { fit } from "./fit";
import { PAGES } from "./pages";

interface Entry {
  text: string;
  kind: string;
  act: () => void;
}

const [opened, setOpened] = createSignal(false);

export const openPalette = (): void => void setOpened(true);

const SHOWN = 30;

function fixed(): Entry[] {
  const theme = (name: Theme): Entry => ({ text: `Theme: ${name}`, kind: "setting", act: () => setPref("theme", name) });
  return [
    ...PAGES.map(({ title, path }) => ({ text: title, kind: "page", act: () => go(path) })),
    { text: "Pause all", kind: "action", act: () => void pause({ all: true }) },
    { text: "Resume all", kind: "action", act: () => void resume({ all: true }) },
    theme("light"),
    theme("dark"),
    theme("system"),
  ];
}

export const Palette: Component = () => (
  <Show when={opened()}>
    <Opened />
  </Show>
);

const Opened: Component = () => {
  const [text, setText] = createSignal("");
  const [at, setAt] = createSignal(0);
  let dialog!: HTMLDialogElement;
  const entries = createMemo((): Entry[] => [
    ...fixed(),
    ...services().map((service) => ({
      text: service.name,
      kind: service.type,
      act: () => go(link(service.type === "agent" ? "/tree" : "/services", service.service_id)),
    })),
  ]);
  const found = createMemo(() => {
    const wanted = text().trim();
    if (wanted.startsWith("gw-")) {
      return [{ text: wanted, kind: "receipt", act: () => go(link("/receipts", wanted)) }];
    }
    const fitting = entries().flatMap((entry) => {
      const how = wanted === "" ? 1 : fit(entry.text, wanted);
      return how > 0 ? [{ entry, how }] : [];
    });
    return fitting
      .sort((a, b) => b.how - a.how)
      .slice(0, SHOWN)
      .map(({ entry }) => entry);
  });
  const choose = (entry: Entry | undefined): void => {
    if (!entry) return;
    dialog.close();
    entry.act();
  };
  const key = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setAt((before) => Math.min(found().length - 1, Math.max(0, before + step)));
      document.getElementById(`entry-${at()}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(found()[at()]);
    }
  };
  return (
    <dialog
      class="palette"
      aria-label="Go to anything"
      ref={(it) => {
        dialog = it;
        queueMicrotask(() => it.showModal());
      }}
      onClose={() => setOpened(false)}
    >
      <input
        type="search"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found().length > 0 ? `entry-${at()}` : undefined}
        aria-label="Go to"
        placeholder="A page, an agent, a service, a run_id, an action"
        autofocus
        value={text()}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={key}
      />
      <div role="listbox" id="palette-list" aria-label="What fits">
        <For each={found()} fallback={<p class="empty">Nothing fits.</p>}>
          {(entry, index) => (
            <div role="option" id={`entry-${index()}`} aria-selected={index() === at()} onClick={() => choose(entry)}>
              <span class="clip">{line(entry.text, 80)}</span>
              <span class="muted">{entry.kind}</span>
            </div>
          )}
        </For>
      </div>
    </dialog>
  );
};
