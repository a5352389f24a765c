// Muting: a question that says what it silences, and the list of what is silenced now.

import { type Component, For, Show, createSignal } from "solid-js";
import { get, post } from "../../api/client";
import type { Alert, Severity } from "../../api/types";
import { curlPost } from "../../lib/curl";
import { duration } from "../../lib/format";
import { line } from "../../lib/text";
import { done } from "../../acts/actions";
import { poll } from "../../live/source";
import { hello, now } from "../../live/store";
import { Copy, Panel, Time, isAt } from "../../parts/basic";
import { KINDS, kindOf } from "./kinds";
import { SEVERITIES } from "./list";
import { LENGTHS, LONGEST_S, type Match, type Mute, given, isEmpty, seconds, silences } from "./mutes";

/** Those in force. They end by themselves, and who else mutes tells nobody. */
const mutes = poll<{ mutes: Mute[] }>(() => get("/api/monitor/alerts/mutes"), {
  every_ms: () => 15_000,
  wanted: () => isAt("/alerts"),
});

const [asked, setAsked] = createSignal<Match>();

/** Asks what to mute, beginning with this. */
export const askMute = (match: Match): void => void setAsked(match);

async function mute(match: Match, for_s: number, success: string): Promise<void> {
  await done(success, post("/api/monitor/alerts/mute", { match, for_s }));
  mutes.look();
}

/** A match in words. */
function words({ service, type, severity }: Match): string {
  const what = [severity, type ? `“${kindOf(type).title}”` : undefined].filter((word) => word).join(" ");
  return `${what === "" ? "everything" : what}${service ? ` about ${line(service, 80)}` : ""}`;
}

export const Mutes: Component<{ shown: Alert[] }> = (props) => {
  const inForce = () => (mutes.data()?.mutes ?? []).filter((it) => Date.parse(it.until) > now());
  const hit = (match: Match) => props.shown.filter((alert) => silences(match, alert)).length;
  const end = (match: Match): void => {
    // The monitor ends one by a shorter one in its place.
    void mute(match, 1, `Not muted any more: ${words(match)}`);
    setTimeout(mutes.look, 1_500);
  };
  return (
    <Show when={inForce().length > 0 || mutes.error() !== undefined}>
      <Panel title="Mutes in force" source={mutes}>
        <ul class="mutes">
          <For each={inForce()}>
            {(it) => (
              <li>
                <span class="wrap">
                  <strong>{words(it.match)}</strong> until <Time at={it.until} />{" "}
                  <span class="muted num">
                    (for {duration(Math.max(0, Date.parse(it.until) - now()))} yet; fits {hit(it.match)} of those shown)
                  </span>
                </span>
                <button type="button" onClick={() => end(it.match)} aria-label={`End the mute of ${words(it.match)}`}>
                  End
                </button>
              </li>
            )}
          </For>
        </ul>
      </Panel>
    </Show>
  );
};

export const MuteQuestion: Component<{ shown: Alert[] }> = (props) => (
  <Show when={asked()} keyed>
    {(match) => <Asked match={match} shown={props.shown} />}
  </Show>
);

const Asked: Component<{ match: Match; shown: Alert[] }> = (props) => {
  let dialog!: HTMLDialogElement;
  const [match, setMatch] = createSignal<Match>(props.match);
  const [length, setLength] = createSignal("1 h");
  const [custom, setCustom] = createSignal("");
  const set = (change: Partial<Match>) => setMatch((before) => ({ ...before, ...change }));
  const for_s = () => (length() === "custom" ? seconds(custom()) : LENGTHS.find(([, name]) => name === length())?.[0]);
  const hit = () => props.shown.filter((alert) => silences(match(), alert)).length;
  const end = (): void => dialog.close();
  const go = (event: Event): void => {
    event.preventDefault();
    const lasts = for_s();
    if (isEmpty(match()) || lasts === undefined) return;
    void mute(given(match()), lasts, `Muted for ${duration(lasts * 1_000)}: ${words(match())}`);
    end();
  };
  const command = () =>
    curlPost(`${hello()?.urls.heartbeat_monitor ?? ""}/alerts/mute`, {
      match: given(match()),
      for_s: for_s() ?? 3_600,
    });
  return (
    <dialog
      aria-label="Mute alerts"
      ref={(it) => {
        dialog = it;
        queueMicrotask(() => it.showModal());
      }}
      onClose={() => setAsked(undefined)}
    >
      <form class="inside" method="dialog" onSubmit={go}>
        <h2>Mute alerts</h2>
        <p>
          Of what fits all of this, the monitor says nothing for a while: no event, hence no sound, and no line of its
          log. It is kept and listed all the same, and what other parts publish themselves is heard. What is wrong stays
          wrong.
        </p>
        <label>
          Service, by its name or id
          <input
            value={match().service ?? ""}
            maxLength={256}
            placeholder="any"
            onInput={(event) => set({ service: event.currentTarget.value })}
          />
        </label>
        <label>
          Type
          <select onChange={(event) => set({ type: event.currentTarget.value })}>
            <option value="">any</option>
            <For each={Object.entries(KINDS)}>
              {([type, kind]) => (
                <option value={type} selected={type === match().type}>
                  {kind.title}
                </option>
              )}
            </For>
          </select>
        </label>
        <label>
          Severity
          <select onChange={(event) => set({ severity: event.currentTarget.value as Severity })}>
            <option value="">any</option>
            <For each={SEVERITIES}>
              {(severity) => (
                <option value={severity} selected={severity === match().severity}>
                  {severity}
                </option>
              )}
            </For>
          </select>
        </label>
        <fieldset>
          <legend>For how long</legend>
          <For each={[...LENGTHS.map(([, name]) => name), "custom"]}>
            {(name) => (
              <label>
                <input type="radio" name="length" checked={length() === name} onChange={() => setLength(name)} /> {name}
              </label>
            )}
          </For>
          <Show when={length() === "custom"}>
            <input
              aria-label="How long, such as 90m, 2h 30m, 3d"
              placeholder="90m, 2h 30m, 3d"
              value={custom()}
              aria-invalid={custom() !== "" && for_s() === undefined}
              onInput={(event) => setCustom(event.currentTarget.value)}
            />
          </Show>
        </fieldset>
        <p class="muted" role="status">
          <Show when={!isEmpty(match())} fallback="Name a service, a type or a severity: not everything can be muted.">
            <Show when={for_s() !== undefined} fallback={`Say how long: from 1 min to ${duration(LONGEST_S * 1_000)}.`}>
              Silences {words(match())}: fits {hit()} of those shown.
            </Show>
          </Show>
        </p>
        <Copy text={command()} show={false} label="Copy as a command" what="as a command" />
        <div class="buttons">
          <button type="button" onClick={end}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={isEmpty(match()) || for_s() === undefined}>
            Mute
          </button>
        </div>
      </form>
    </dialog>
  );
};
