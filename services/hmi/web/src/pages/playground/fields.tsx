// The fields of the form.

import { type Component, For, type JSX, Match, Show, Switch, createMemo } from "solid-js";
import type { SetStoreFunction } from "solid-js/store";
import { get } from "../../api/client";
import { isPlain, line } from "../../lib/text";
import { loaded } from "../../live/loaded";
import { agents, services } from "../../live/store";
import { type By, EXAMPLES, type Form } from "./form";

const BYS: { by: By; label: string }[] = [
  { by: "cap", label: "by what it can do" },
  { by: "model", label: "by model or route" },
  { by: "name", label: "by name" },
];
const PREFER = ["local", "cheapest", "fastest", "best", "balanced"];
const ROLES = ["production", "canary", "staging", "experimental"];

interface Props {
  form: Form;
  set: SetStoreFunction<Form>;
}

export const Fields: Component<Props> = (props) => (
  <Switch>
    <Match when={props.form.how === "raw"}>
      <Raw {...props} />
    </Match>
    <Match when={true}>
      <Filled {...props} />
    </Match>
  </Switch>
);

const Raw: Component<Props> = (props) => (
  <>
    <label>
      <span>Example</span>
      <select
        value={EXAMPLES.find(({ body }) => body === props.form.raw)?.title ?? ""}
        onChange={(event) => {
          const chosen = EXAMPLES.find(({ title }) => title === event.currentTarget.value);
          if (chosen) props.set("raw", chosen.body);
        }}
      >
        <option value="">your own</option>
        <For each={EXAMPLES}>{({ title }) => <option value={title}>{title}</option>}</For>
      </select>
    </label>
    <label>
      <span>Body of POST /invoke</span>
      <textarea
        class="mono"
        rows="8"
        spellcheck={false}
        value={props.form.raw}
        onInput={(event) => props.set("raw", event.currentTarget.value)}
      />
    </label>
    <div>
      <button
        type="button"
        class="plain"
        onClick={() => {
          try {
            props.set("raw", JSON.stringify(JSON.parse(props.form.raw), null, 2));
          } catch {
            // What is wrong with it stands below.
          }
        }}
      >
        Format
      </button>
    </div>
  </>
);

const Filled: Component<Props> = (props) => {
  const isInvoke = () => props.form.how === "invoke";
  const models = loaded(
    () => "models",
    (_, signal) => get<{ data: { id: string; owned_by?: string }[] }>("/api/gateway/v1/models", signal),
  );
  const policies = loaded(
    () => "policies",
    (_, signal) =>
      get<{ policies: { default?: string; policies?: Record<string, unknown> } }>("/api/router/policies", signal),
  );
  const usual = () =>
    policies.data()?.policies.default ? `the default, ${policies.data()?.policies.default}` : "the default";
  const named = (): string[] => {
    const known = Object.keys(policies.data()?.policies.policies ?? {});
    return props.form.policy === "" || known.includes(props.form.policy) ? known : [...known, props.form.policy];
  };
  const caps = createMemo(() =>
    [...new Set(services().flatMap(({ type, caps }) => (type === props.form.type ? caps : [])))].sort(),
  );
  const names = createMemo(() =>
    services().flatMap(({ type, name }) => (type === (isInvoke() ? props.form.type : "model") ? [name] : [])),
  );
  const text = (name: keyof Form) => ({
    value: props.form[name],
    onInput: (event: InputEvent) => props.set(name, (event.target as HTMLInputElement).value),
  });
  // What is chosen is said by the options, which may come later than the field.
  const choice = (name: keyof Form) => ({
    onChange: (event: Event) => props.set(name, (event.target as HTMLSelectElement).value as never),
  });
  return (
    <>
      <div class="fields">
        <Show when={isInvoke()}>
          <Field label="What">
            <select {...choice("type")}>
              <Options
                of={props.form.type}
                all={[
                  ["model", "a model"],
                  ["tool", "a tool"],
                  ["agent", "an agent"],
                ]}
              />
            </select>
          </Field>
        </Show>
        <Field label="Chosen">
          <select {...choice("by")}>
            <Options of={props.form.by} all={BYS.map(({ by, label }) => [by, label])} />
          </select>
        </Field>
        <Switch>
          <Match when={props.form.by === "cap"}>
            <Field label="Capabilities">
              <input {...text("caps")} list="ask-caps" placeholder="classify" />
            </Field>
            <Known id="ask-caps" all={caps()} />
          </Match>
          <Match when={props.form.by === "model"}>
            <Field label="Model or route">
              <input {...text("model")} list="ask-models" placeholder="auto" />
            </Field>
            <Known id="ask-models" all={models.data()?.data.map(({ id }) => id) ?? []} />
          </Match>
          <Match when={props.form.by === "name"}>
            <Field label="Name of the service">
              <input {...text("name")} list="ask-names" />
            </Field>
            <Known id="ask-names" all={names()} />
          </Match>
        </Switch>
        <Show when={isInvoke() && props.form.type === "model"}>
          <Field label="Role">
            <select {...choice("role")}>
              <Options of={props.form.role} all={[["", "production and canary"], ...ROLES.map(same)]} />
            </select>
          </Field>
        </Show>
        <Field label="Policy">
          <select {...choice("policy")}>
            <Options of={props.form.policy} all={[["", usual()], ...named().map(same)]} />
          </select>
        </Field>
        <Show when={isInvoke()}>
          <Field label="Prefer">
            <select {...choice("prefer")}>
              <Options of={props.form.prefer} all={[["", "as the policy says"], ...PREFER.map(same)]} />
            </select>
          </Field>
        </Show>
        <Field label="Time limit, in seconds">
          <input {...text("timeout")} inputMode="decimal" placeholder="as the policy says" />
        </Field>
        <Field label="Calling agent">
          <input {...text("agent")} list="ask-agents" maxLength={256} placeholder="none" />
        </Field>
        <Known id="ask-agents" all={agents().map(({ name }) => name)} />
        <Show when={!isInvoke()}>
          <Field label="Answer">
            <select {...choice("stream")}>
              <Options
                of={props.form.stream}
                all={[
                  ["yes", "as it comes"],
                  ["no", "when it is whole"],
                ]}
              />
            </select>
          </Field>
        </Show>
      </div>
      <Show when={!isInvoke()}>
        <label>
          <span>System prompt</span>
          <textarea rows="2" {...text("system")} placeholder="none" />
        </label>
      </Show>
      <label>
        <span>{isInvoke() ? "Text (sent as payload.text)" : "Message"}</span>
        <textarea rows="6" {...text("text")} />
      </label>
    </>
  );
};

const Field: Component<{ label: string; children: JSX.Element }> = (props) => (
  <label>
    <span>{props.label}</span>
    {props.children}
  </label>
);

const same = (word: string): [string, string] => [word, word];

const Options: Component<{ of: string; all: [string, string][] }> = (props) => (
  <For each={props.all}>
    {([value, label]) => (
      <option value={value} selected={value === props.of}>
        {line(label, 80)}
      </option>
    )}
  </For>
);

const Known: Component<{ id: string; all: string[] }> = (props) => (
  <datalist id={props.id}>
    <For each={props.all.filter((known) => isPlain(known)).slice(0, 300)}>{(known) => <option value={known} />}</For>
  </datalist>
);
