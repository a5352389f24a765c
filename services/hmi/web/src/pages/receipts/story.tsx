// One receipt as a story: who asked for what, who was chosen and why, what was tried, what it cost.

import { type Component, type JSX, Show } from "solid-js";
import type { Receipt } from "../../api/types";
import { count } from "../../lib/format";
import { line } from "../../lib/text";
import { link } from "../../lib/url";
import { loaded } from "../../live/loaded";
import { agentNamed } from "../../live/store";
import { A, Copy, Time } from "../../parts/basic";
import { callState } from "../../parts/calls";
import { Tag } from "../../parts/state";
import { Attempts } from "./attempts";
import { Chain } from "./chain";
import { type Loaded, receipt as load } from "./load";
import { Content, Cost, Notes, Take } from "./rest";
import { Again, Why } from "./why";
import { MEANING, ending, wanted } from "./words";
import "./story.css";

/** Loads a receipt and tells its story; one of a call that has only just ended is waited for. */
export const Story: Component<{ run_id: string; patient?: boolean }> = (props) => {
  const found = loaded(
    () => props.run_id,
    (run_id, signal) => load(run_id, signal, { patient: props.patient }),
  );
  return (
    <Show
      when={found.data()}
      fallback={<Missing run_id={props.run_id} error={found.error()} again={found.look} />}
      keyed
    >
      {(loaded) => <Told loaded={loaded} />}
    </Show>
  );
};

const Missing: Component<{ run_id: string; error: string | undefined; again: () => void }> = (props) => (
  <div class="empty">
    <Show when={props.error} fallback={<p>Loading {line(props.run_id, 80)}…</p>}>
      {(error) => (
        <>
          <p class="wrap">{line(error(), 400)}</p>
          <button type="button" onClick={() => props.again()}>
            Try again
          </button>
        </>
      )}
    </Show>
  </div>
);

const Told: Component<{ loaded: Loaded }> = (props) => {
  const receipt = () => props.loaded.receipt;
  return (
    <div class="story">
      <Opening receipt={receipt()} />
      <Attempts receipt={receipt()} />
      <Why receipt={receipt()} />
      <Cost receipt={receipt()} />
      <Notes receipt={receipt()} />
      <Content receipt={receipt()} />
      <Again receipt={receipt()} />
      <Take loaded={props.loaded} />
      <Chain receipt={receipt()} text={props.loaded.text} />
    </div>
  );
};

const Opening: Component<{ receipt: Receipt }> = (props) => {
  const status = () => props.receipt.status;
  return (
    <section class="part opening" aria-label="What happened">
      <p class={`verdict s-${callState(status())}`}>
        <Tag state={callState(status())}>{status()}</Tag>
        <span>{MEANING[status()]}</span>
      </p>
      <p class="wrap">
        <Caller receipt={props.receipt} /> asked for {line(wanted(props.receipt), 400)}.{" "}
        {line(ending(props.receipt), 400)}
      </p>
      <Show when={props.receipt.error}>
        {(error) => (
          <p class="said wrap">
            <code>{line(error().code, 60)}</code> {line(error().message, 1_000)}
          </p>
        )}
      </Show>
      <dl class="kv">
        <dt>When</dt>
        <dd>
          <Time at={props.receipt.ts} />
        </dd>
        <dt>Call</dt>
        <dd>
          <Copy text={props.receipt.run_id} />
        </dd>
        <Show when={props.receipt.agent_run_id}>
          {(run) => (
            <>
              <dt>Run of the agent</dt>
              <dd>
                <A href={`/receipts?${new URLSearchParams({ agent_run_id: run() })}`}>{line(run(), 130)}</A>
              </dd>
            </>
          )}
        </Show>
        <dt>Budget</dt>
        <dd>{props.receipt.budget ? line(props.receipt.budget, 300) : <span class="muted">none named</span>}</dd>
        <dt>Route</dt>
        <dd>
          {line(props.receipt.route, 200)}
          <span class="muted"> {dialects(props.receipt)}</span>
        </dd>
        <dt>Policy</dt>
        <dd>
          <Show when={props.receipt.policy} fallback={<span class="muted">none was applied</span>}>
            {(policy) => (
              <>
                {line(policy().name, 100)} <span class="muted">version {line(policy().version ?? "–", 60)}</span>
              </>
            )}
          </Show>
        </dd>
        <dt>What was known</dt>
        <dd>{known(props.receipt)}</dd>
        <Show when={props.receipt.resolved}>
          {(resolved) => (
            <>
              <dt>Answered by</dt>
              <dd>
                <A href={resolved().service_id ? link("/services", resolved().service_id ?? "") : "/services"}>
                  {line(resolved().name, 120)}
                </A>
                <span class="muted">
                  {" "}
                  {line(resolved().url ?? "", 200)} model {line(resolved().model, 120)}
                  {resolved().model_reported && resolved().model_reported !== resolved().model
                    ? `, which calls itself ${line(resolved().model_reported ?? "", 120)}`
                    : ""}
                  {resolved().provider ? `, provider ${line(resolved().provider ?? "", 80)}` : ""}
                </span>
              </dd>
            </>
          )}
        </Show>
      </dl>
    </section>
  );
};

const Caller: Component<{ receipt: Receipt }> = (props) => (
  <Show when={props.receipt.agent} fallback="Somebody who named no agent">
    {(agent) => (
      <Show when={agentNamed(agent())} fallback={<strong>{line(agent(), 120)}</strong>}>
        {(known) => (
          <A href={link("/tree", known().key)}>
            <strong>{line(agent(), 120)}</strong>
          </A>
        )}
      </Show>
    )}
  </Show>
);

function dialects({ dialect }: Receipt): string {
  if (!dialect?.in) return "";
  const sent = dialect.out ? (dialect.out === dialect.in ? ", sent on as it was" : `, sent on as ${dialect.out}`) : "";
  return line(`asked as ${dialect.in}${sent}`, 200);
}

function known({ snapshot }: Receipt): JSX.Element {
  if (!snapshot) return <span class="muted">not on the receipt</span>;
  const place = snapshot.registry
    ? `the registry at ${snapshot.registry.epoch}:${snapshot.registry.index}`
    : "no registry";
  const matrix = snapshot.matrix ? `, matrix ${line(snapshot.matrix, 60)}` : "";
  return <span class="wrap">{`${place}${matrix}, known ${count(snapshot.age_ms)} ms before`}</span>;
}
