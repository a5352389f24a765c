// The frame around all pages.

import { type Component, ErrorBoundary, For, Show, Suspense, createEffect, onCleanup } from "solid-js";
import { Acknowledgements } from "./acts/acknowledgements";
import { hello, onEvent, queue } from "./live/store";
import { path } from "./lib/url";
import { A, isAt } from "./parts/basic";
import { Questions, Toasts } from "./parts/dialog";
import { KeySheet, useKeys } from "./shell/keys";
import { Palette } from "./shell/palette";
import { NotFetched } from "./shell/lazily";
import { PAGES } from "./shell/pages";
import { hear } from "./shell/sound";
import { Top } from "./shell/top";

export const App: Component = () => {
  useKeys();
  onCleanup(onEvent(hear));
  const page = () => PAGES.find(({ path }) => isAt(path));
  createEffect(() => {
    const urgent = queue().filter((item) => item.level === "critical").length;
    document.title = `${urgent > 0 ? `(${urgent}) ` : ""}${page()?.title ?? "Not found"} · PAS`;
  });
  return (
    <div class="shell">
      <a class="skip" href="#main">
        To the content
      </a>
      <div class="above">
        <Top />
        <Show when={hello()?.demo}>
          <p class="demo" role="note">
            This is a demo: its agents, models, answers and costs are scripted. Nothing here is real, and no provider is asked.
          </p>
        </Show>
      </div>
      <nav class="nav" aria-label="Pages">
        <div class="nav-inner">
          <For each={PAGES}>
            {({ path, title }) => (
              <A href={path} aria-current={isAt(path) ? "page" : undefined}>
                {title}
              </A>
            )}
          </For>
        </div>
      </nav>
      <main id="main" class="main" tabindex="-1">
        <Show when={page()} fallback={<NotFound />} keyed>
          {(page) => (
            <ErrorBoundary fallback={(error, reset) => <Broken error={error as Error} reset={reset} />}>
              <Suspense fallback={<p class="muted">Loading…</p>}>
                <page.show />
              </Suspense>
            </ErrorBoundary>
          )}
        </Show>
        <Acknowledgements />
      </main>
      <Questions />
      <KeySheet />
      <Palette />
      <Toasts />
    </div>
  );
};

const NotFound: Component = () => (
  <p class="empty">
    There is no page <code>{path()}</code>. <A href="/">To the dashboard</A>
  </p>
);

/** A page that fails takes no other with it. */
const Broken: Component<{ error: Error; reset: () => void }> = (props) => (
  <div class="panel">
    <p class="trouble">This page failed: {props.error.message}</p>
    <div class="body filters">
      <button type="button" onClick={props.reset}>
        Try again
      </button>
      <Show when={props.error instanceof NotFetched}>
        <button type="button" onClick={() => location.reload()}>
          Load the page anew
        </button>
      </Show>
    </div>
  </div>
);
