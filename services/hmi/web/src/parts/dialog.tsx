// Questions before something is done, and what came of it.

import { type Component, For, type JSX, Show, createSignal, onMount } from "solid-js";
import type { Shown } from "./state";

export interface Question {
  title: string;
  /** What it does, and what else it hits. */
  what: JSX.Element;
  /** What the button says. */
  confirm: string;
  danger?: boolean;
  /** The word that must be typed first. */
  typed?: string;
  /** Whether a reason must be given. */
  reason?: "required" | "optional" | "none";
  /** Ready reasons. */
  reasons?: string[];
}

const [question, setQuestion] = createSignal<Question & { answer: (reason: string | undefined) => void }>();

/** Asks; answers the reason, or nothing when it is not to be done. */
export function ask(asked: Question): Promise<string | undefined> {
  // One that is still open is not to be done.
  question()?.answer(undefined);
  return new Promise((answer) => setQuestion({ ...asked, answer }));
}

export const Questions: Component = () => (
  <Show when={question()} keyed>
    {(asked) => <Asked {...asked} />}
  </Show>
);

const Asked: Component<Question & { answer: (reason: string | undefined) => void }> = (props) => {
  let dialog!: HTMLDialogElement;
  const [reason, setReason] = createSignal("");
  const [typed, setTyped] = createSignal("");
  const needs = () => props.reason ?? "required";
  const ready = () => (needs() !== "required" || reason().trim() !== "") && (!props.typed || typed() === props.typed);
  onMount(() => dialog.showModal());
  const end = (answer: string | undefined): void => {
    dialog.close();
    setQuestion(undefined);
    props.answer(answer);
  };
  return (
    <dialog ref={dialog} aria-label={props.title} onCancel={() => end(undefined)}>
      <form
        class="inside"
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready()) end(reason().trim());
        }}
      >
        <h2>{props.title}</h2>
        <div>{props.what}</div>
        <Show when={needs() !== "none"}>
          <label>
            <span>{needs() === "required" ? "Reason (others will read it)" : "Note (may be empty)"}</span>
            <input value={reason()} maxLength={1000} list="reasons" autofocus onInput={(event) => setReason(event.currentTarget.value)} />
            <datalist id="reasons">
              <For each={props.reasons ?? []}>{(text) => <option value={text} />}</For>
            </datalist>
          </label>
        </Show>
        <Show when={props.typed}>
          <label>
            <span class="wrap">
              Type <code>{props.typed}</code> to go on
            </span>
            <input value={typed()} onInput={(event) => setTyped(event.currentTarget.value)} />
          </label>
        </Show>
        <div class="buttons">
          <button type="button" onClick={() => end(undefined)}>
            Cancel
          </button>
          <button type="submit" class={props.danger ? "danger" : "primary"} disabled={!ready()}>
            {props.confirm}
          </button>
        </div>
      </form>
    </dialog>
  );
};

interface Toast {
  id: number;
  state: Shown;
  text: string;
}

const [toasts, setToasts] = createSignal<Toast[]>([]);
let last = 0;

/** Says what came of it; what failed stays until it is closed. */
export function say(text: string, state: Shown = "ok"): void {
  last += 1;
  const id = last;
  setToasts((all) => [...all.slice(-4), { id, state, text }]);
  if (state === "ok" || state === "info") setTimeout(() => close(id), 6_000);
}

function close(id: number): void {
  setToasts((all) => all.filter((toast) => toast.id !== id));
}

export const Toasts: Component = () => (
  <div class="toasts" role="status" aria-live="polite">
    <For each={toasts()}>
      {(toast) => (
        <div class={`toast s-${toast.state}`}>
          <span>{toast.text}</span>
          <button type="button" class="plain" aria-label="Close this message" onClick={() => close(toast.id)}>
            ✕
          </button>
        </div>
      )}
    </For>
  </div>
);
