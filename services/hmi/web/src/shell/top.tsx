// The bar on top: how fresh what is seen is, what needs a look, and what holds for everything.

import { type Component, For, Show, createSignal } from "solid-js";
import { pause, resume } from "../acts/actions";
import { agentKeys, link, list, queue, services } from "../live/store";
import { FREQUENCIES_S, type Theme, prefs, setPref } from "../lib/prefs";
import { line } from "../lib/text";
import { A } from "../parts/basic";
import { Mark, Tag } from "../parts/state";
import { openSheet } from "./keys";
import { openPalette } from "./palette";
import { play } from "./sound";

export const Top: Component = () => {
  const paused = () => services().some((service) => service.paused);
  const urgent = () => queue().filter((item) => item.level !== "info").length;
  const worst = () => queue()[0]?.level;
  return (
    <header class="top">
      <A href="/" class="brand" aria-label="PAS, dashboard">
        <img src="/icon.svg" alt="" />
        PAS
      </A>
      <Fresh />
      <Show when={urgent() > 0}>
        <A href="/" class={`badge s-${worst()}`}>
          {urgent()} {urgent() === 1 ? "needs" : "need"} a look
        </A>
      </Show>
      <span class="space" />
      <button type="button" onClick={() => void pause({ all: true })}>
        Pause all
      </button>
      <Show when={paused()}>
        <button type="button" class="primary" onClick={() => void resume({ all: true })}>
          Resume all
        </button>
      </Show>
      <span class="muted when-wide num">{agentKeys().length} agents</span>
      <label>
        <span class="hidden-text">Update frequency of gauges and charts</span>
        <select value={prefs().every_s} onChange={(event) => setPref("every_s", Number(event.currentTarget.value))}>
          <For each={FREQUENCIES_S}>{(seconds) => <option value={seconds}>every {seconds} s</option>}</For>
        </select>
      </label>
      <Settings />
      <button type="button" class="when-wide" onClick={openPalette} aria-label="Ctrl K: go to anything">
        <kbd>Ctrl K</kbd>
      </button>
      <button type="button" class="when-wide" onClick={openSheet} aria-label="Keys">
        ?
      </button>
    </header>
  );
};

/** Whether what is seen is what is. */
const Fresh: Component = () => {
  const trouble = (): string | undefined => list.error() ?? (link().live ? undefined : link().reason);
  return (
    <span class="link" role="status">
      <Show when={trouble()} fallback={<Tag state="ok">live</Tag>}>
        <Mark state="degraded" label="not live" />
        <span class="clip" title={trouble()}>
          {line(trouble()!, 90)}
        </span>
      </Show>
    </span>
  );
};

const Settings: Component = () => {
  const [open, setOpen] = createSignal(false);
  return (
    <>
      <button type="button" aria-haspopup="dialog" onClick={() => setOpen(true)} aria-label="Settings">
        ⚙
      </button>
      <Show when={open()}>
        <dialog aria-label="Settings" ref={(it) => queueMicrotask(() => it.showModal())} onClose={() => setOpen(false)}>
          <form method="dialog" class="inside">
            <h2>Settings of this browser</h2>
            <label>
              Theme
              <select value={prefs().theme} onChange={(event) => setPref("theme", event.currentTarget.value as Theme)}>
                <option value="system">as the system</option>
                <option value="light">light</option>
                <option value="dark">dark</option>
              </select>
            </label>
            <div class="filters">
              <input
                id="sounds"
                type="checkbox"
                checked={prefs().sounds}
                onChange={(event) => setPref("sounds", event.currentTarget.checked)}
              />
              <label for="sounds">Sounds: a task is complete, something alarms</label>
              <button type="button" onClick={() => play("complete")}>
                Hear “complete”
              </button>
              <button type="button" onClick={() => play("alert")}>
                Hear “alert”
              </button>
            </div>
            <div class="filters">
              <input
                id="narration"
                type="checkbox"
                checked={prefs().narration}
                onChange={(event) => setPref("narration", event.currentTarget.checked)}
              />
              <label for="narration">Narration: “Architect completed task”</label>
            </div>
            <label>
              Quiet hours, such as 22-7
              <input
                value={prefs().quiet}
                pattern="\d{1,2}-\d{1,2}"
                onChange={(event) => setPref("quiet", event.currentTarget.value)}
              />
            </label>
            <div class="buttons">
              <button type="submit" class="primary">
                Close
              </button>
            </div>
          </form>
        </dialog>
      </Show>
    </>
  );
};
