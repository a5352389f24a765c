// Send something through the gateway, and see what comes of it, with its receipt beside it.

import { type Component, For, Show, createEffect, createSignal, on, onCleanup } from "solid-js";
import { createStore } from "solid-js/store";
import { post } from "../../api/client";
import type { Receipt } from "../../api/types";
import { block, line } from "../../lib/text";
import { param, search, setParams } from "../../lib/url";
import { hello } from "../../live/store";
import { A, Copy, Panel } from "../../parts/basic";
import { Tag } from "../../parts/state";
import { Story } from "../receipts/story";
import { Why } from "../receipts/why";
import { Fields } from "./fields";
import { type Form, type How, asCurl, dryRun, fromQuery, invoke, isWritten, problem, sending, toQuery } from "./form";
import { Outcome } from "./outcome";
import { type Sent, send } from "./send";
import "./playground.css";

const HOWS: { how: How; title: string }[] = [
  { how: "raw", title: "Invoke: JSON" },
  { how: "invoke", title: "Invoke: form" },
  { how: "chat", title: "Chat: OpenAI" },
  { how: "messages", title: "Chat: Anthropic" },
];

/** What comes is drawn together, and the URL written, at most so often. */
const DRAW_MS = 60;
const WRITE_MS = 400;

const Page: Component = () => {
  const [form, setForm] = createStore<Form>(fromQuery(param));
  const [sent, setSent] = createSignal<Sent>();
  const [dry, setDry] = createSignal<Receipt>();
  const [dryError, setDryError] = createSignal<string>();
  let abort = new AbortController();
  onCleanup(() => abort.abort());

  let writing: ReturnType<typeof setTimeout> | undefined;
  createEffect(() => {
    const query = toQuery({ ...form });
    clearTimeout(writing);
    writing = setTimeout(() => setParams(query), WRITE_MS);
  });
  onCleanup(() => clearTimeout(writing));
  // Another URL, as by Back, brings its own form.
  createEffect(on(search, () => isWritten(form, param) || setForm(fromQuery(param)), { defer: true }));

  const wrong = () => problem(form);
  const open = () => sent()?.open === true;
  const choose = (how: How): void => {
    // What was filled in goes along into JSON, where it can be made more of.
    if (how === "raw" && form.how === "invoke" && wrong() === undefined)
      setForm({ how, raw: JSON.stringify(invoke(form), null, 2) });
    else setForm({ how });
  };
  const begin = async (): Promise<void> => {
    abort.abort();
    abort = new AbortController();
    const { signal } = abort;
    setDry(undefined);
    setDryError(undefined);
    let latest: Sent | undefined;
    let drawing: ReturnType<typeof setTimeout> | undefined;
    const draw = (): void => {
      drawing = undefined;
      if (latest && abort.signal === signal) setSent(latest);
    };
    await send(sending(form), signal, (now) => {
      latest = now;
      drawing ??= setTimeout(draw, DRAW_MS);
    });
  };
  const runDry = async (): Promise<void> => {
    abort.abort();
    abort = new AbortController();
    const { signal } = abort;
    setSent(undefined);
    setDryError(undefined);
    const { path, body } = dryRun(form);
    try {
      const answer = await post<Receipt>(`/api/gateway${path}`, JSON.parse(body), signal);
      if (!signal.aborted) setDry(answer);
    } catch (error) {
      // What has been broken off has made room for something else.
      if (signal.aborted) return;
      setDry(undefined);
      setDryError((error as Error).message);
    }
  };
  return (
    <>
      <div class="page-head">
        <h1>Playground</h1>
        <span class="muted">Real calls through the gateway: they leave receipts, and cost what they cost.</span>
      </div>
      <div class="playground">
        <div class="column">
          <div class="views" role="group" aria-label="How it is asked">
            <For each={HOWS}>
              {({ how, title }) => (
                <button type="button" aria-pressed={form.how === how} onClick={() => choose(how)}>
                  {title}
                </button>
              )}
            </For>
          </div>
          <Panel title="Request">
            <form
              class="ask"
              onSubmit={(event) => {
                event.preventDefault();
                if (!open() && wrong() === undefined) void begin();
              }}
            >
              <Fields form={form} set={setForm} />
              <Show when={wrong()}>{(wrong) => <p class="wrong wrap">{line(wrong(), 300)}</p>}</Show>
              <div class="filters">
                <Show
                  when={open()}
                  fallback={
                    <button type="submit" class="primary" disabled={wrong() !== undefined}>
                      Send
                    </button>
                  }
                >
                  <button type="button" class="danger" onClick={() => abort.abort()}>
                    Cancel
                  </button>
                </Show>
                <button
                  type="button"
                  disabled={wrong() !== undefined || open()}
                  onClick={() => void runDry()}
                  title="Who would be asked? Nothing is sent, nothing is kept"
                >
                  Dry run
                </button>
                <Show when={wrong() === undefined && hello()}>
                  {(known) => (
                    <Copy text={asCurl(sending(form), known().urls.gateway)} label="Copy as curl" show={false} />
                  )}
                </Show>
              </div>
            </form>
          </Panel>
          <Show when={sent()}>{(sent) => <Outcome sent={sent()} />}</Show>
        </div>
        <div class="column">
          <Show when={dry() ?? dryError()}>
            <Dry receipt={dry()} error={dryError()} />
          </Show>
          <Show when={sent()}>{(sent) => <Beside sent={sent()} />}</Show>
          <Show when={!sent() && !dry() && dryError() === undefined}>
            <p class="empty">
              The receipt of the call stands here, once it is over: who answered, why that one, what else was tried,
              what it cost.
            </p>
          </Show>
        </div>
      </div>
    </>
  );
};

/** The receipt of a call that is over. */
const Beside: Component<{ sent: Sent }> = (props) => (
  <Panel title="Receipt">
    <Show when={!props.sent.open} fallback={<p class="muted">It is written when the call is over.</p>}>
      <Show
        when={props.sent.run_id}
        keyed
        fallback={
          <p>
            The call was over before the gateway named it. Its receipt is among the latest:{" "}
            <A href="/receipts?since=15m">all calls of the last 15 minutes</A>.
          </p>
        }
      >
        {(run_id) => <Story run_id={run_id} patient />}
      </Show>
    </Show>
  </Panel>
);

const Dry: Component<{ receipt: Receipt | undefined; error: string | undefined }> = (props) => (
  <Panel title="Dry run: who would be asked">
    <Show when={props.error}>{(error) => <p class="wrong wrap">{line(error(), 600)}</p>}</Show>
    <Show when={props.receipt}>
      {(receipt) => (
        <div class="story">
          <p>
            <Show when={receipt().resolved} fallback={<Tag state="degraded">nobody</Tag>}>
              {(resolved) => (
                <>
                  <Tag state="ok">{line(resolved().name, 100)}</Tag>{" "}
                  <span class="muted">model {line(resolved().model, 100)}</span>
                </>
              )}
            </Show>{" "}
            <span class="muted">by policy {line(receipt().policy?.name ?? "–", 80)}</span>
          </p>
          <Show when={receipt().error}>{(error) => <p class="said wrap">{block(error().message, 1_000)}</p>}</Show>
          <Why receipt={receipt()} title="Candidates" />
          <For each={receipt().notes}>{(note) => <p class="muted wrap">{line(note, 400)}</p>}</For>
        </div>
      )}
    </Show>
  </Panel>
);

export default Page;
