// Why that one: who could have answered, how well each fitted, and why others were out. And who would be chosen now.

import { type Component, For, type JSX, Show, createSignal, onCleanup } from "solid-js";
import { post } from "../../api/client";
import type { Receipt } from "../../api/types";
import { count } from "../../lib/format";
import { block, line } from "../../lib/text";
import { Mark } from "../../parts/state";
import { type Compared, compared, dryRun } from "./again";

export const Why: Component<{ receipt: Receipt; title?: string }> = (props) => {
  const candidates = () => props.receipt.candidates ?? [];
  const best = () => Math.max(...candidates().map(({ score }) => score ?? 0), 0.000001);
  const isChosen = (service_id: string | undefined, name: string, model: string): boolean => {
    const { resolved } = props.receipt;
    return (
      resolved !== undefined && resolved.name === name && resolved.model === model && resolved.service_id === service_id
    );
  };
  return (
    <section class="part" aria-label={props.title ?? "Candidates"}>
      <h3>{props.title ?? "Who could have answered"}</h3>
      <Show when={candidates().length > 0} fallback={<p class="muted">No candidate is on the receipt.</p>}>
        <ol class="candidates">
          <For each={candidates()}>
            {(candidate) => (
              <li classList={{ out: candidate.excluded !== undefined }}>
                <span class="clip">
                  <Show when={isChosen(candidate.service_id, candidate.name, candidate.model)}>
                    <Mark state="ok" label="asked last:" />{" "}
                  </Show>
                  {line(candidate.name, 80)}
                  <Show when={candidate.model !== candidate.name}>
                    <span class="muted"> {line(candidate.model, 80)}</span>
                  </Show>
                </span>
                <Show when={candidate.excluded} fallback={<Score score={candidate.score} best={best()} />}>
                  {(excluded) => <span class="wrap excluded">{line(excluded(), 400)}</span>}
                </Show>
              </li>
            )}
          </For>
        </ol>
      </Show>
      <Excluded
        counts={props.receipt.excluded_counts}
        listed={candidates().filter(({ excluded }) => excluded !== undefined).length}
      />
    </section>
  );
};

const Score: Component<{ score: number | undefined; best: number }> = (props) => (
  <span class="score">
    <span class="score-bar" aria-hidden="true">
      <span style={{ width: `${Math.max(0, Math.min(1, (props.score ?? 0) / props.best)) * 100}%` }} />
    </span>
    <span class="num">{props.score === undefined ? "–" : props.score.toFixed(3)}</span>
  </span>
);

/** The gateway counts all that are out, those listed above among them. */
const Excluded: Component<{ counts: Record<string, number> | undefined; listed: number }> = (props) => {
  const all = () => Object.entries(props.counts ?? {}).sort((a, b) => b[1] - a[1]);
  return (
    <Show when={all().length > 0}>
      <p class="muted">
        Out, by reason (in all, {count(all().reduce((sum, [, n]) => sum + n, 0))}
        {props.listed > 0 ? `, of which ${props.listed} above` : ""}):{" "}
        {all()
          .map(([reason, n]) => `${line(reason.replaceAll("_", " "), 60)} ${count(n)}`)
          .join(" · ")}
      </p>
    </Show>
  );
};

export const Again: Component<{ receipt: Receipt }> = (props) => {
  const [now, setNow] = createSignal<Receipt>();
  const [error, setError] = createSignal<string>();
  const [asking, setAsking] = createSignal(false);
  const abort = new AbortController();
  onCleanup(() => abort.abort());
  const again = () => dryRun(props.receipt);
  const ask = async (): Promise<void> => {
    const asked = again();
    if (!asked) return;
    setAsking(true);
    try {
      setNow(await post<Receipt>("/api/gateway/invoke?dry_run=true", asked.body, abort.signal));
      setError(undefined);
    } catch (reason) {
      setError((reason as Error).message);
    }
    setAsking(false);
  };
  return (
    <section class="part" aria-label="Explain again">
      <h3>Who would be chosen now?</h3>
      <Show
        when={again()}
        fallback={<p class="muted">What was asked for is not on the receipt: it can't be asked again.</p>}
      >
        <p>
          <button type="button" onClick={() => void ask()} disabled={asking()}>
            Explain again
          </button>{" "}
          <span class="muted">A dry run of the same target: nothing is sent, nothing is kept.</span>
        </p>
        <Show when={error()}>{(error) => <p class="trouble wrap">{line(error(), 400)}</p>}</Show>
        <Show when={now()}>
          {(now) => (
            <>
              <Verdict then={props.receipt} now={now()} />
              <Side then={props.receipt} now={now()} />
              <For each={again()?.unknown}>{(text) => <p class="muted">Not the same for certain: {text}.</p>}</For>
            </>
          )}
        </Show>
      </Show>
    </section>
  );
};

const Verdict: Component<{ then: Receipt; now: Receipt }> = (props) => {
  const named = ({ resolved, error }: Receipt): JSX.Element =>
    resolved
      ? line(resolved.model === resolved.name ? resolved.name : `${resolved.name} (${resolved.model})`, 120)
      : `nobody${error ? `: ${line(block(error.message), 300)}` : ""}`;
  return (
    <dl class="kv">
      <dt>Then</dt>
      <dd>{named(props.then)}</dd>
      <dt>Now</dt>
      <dd>{named(props.now)}</dd>
    </dl>
  );
};

const Side: Component<{ then: Receipt; now: Receipt }> = (props) => (
  <table class="side">
    <thead>
      <tr>
        <th scope="col">Candidate</th>
        <th scope="col">Then</th>
        <th scope="col">Now</th>
      </tr>
    </thead>
    <tbody>
      <For each={compared(props.then, props.now)}>
        {(row) => (
          <tr>
            <th scope="row" class="wrap">
              {line(row.service, 80)}
              <Show when={row.model !== row.service}>
                <span class="muted"> {line(row.model, 80)}</span>
              </Show>
            </th>
            <td>
              <Cell side={row.then} />
            </td>
            <td>
              <Cell side={row.now} />
            </td>
          </tr>
        )}
      </For>
    </tbody>
  </table>
);

const Cell: Component<{ side: Compared["now"] }> = (props) => (
  <Show when={props.side} fallback={<span class="muted">not listed</span>}>
    {(side) => (
      <>
        <Show when={side().chosen}>
          <Mark state="ok" label="chosen:" />{" "}
        </Show>
        <Show when={side().excluded} fallback={<span class="num">{side().score?.toFixed(3) ?? "–"}</span>}>
          {(excluded) => <span class="wrap excluded">{line(excluded(), 200)}</span>}
        </Show>
      </>
    )}
  </Show>
);
