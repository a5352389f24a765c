// What every page is made of.

import { type Component, type JSX, Show, createSignal, splitProps } from "solid-js";
import { ago, clock, exactUsd, percent, usd } from "../lib/format";
import { line } from "../lib/text";
import { go, path } from "../lib/url";
import type { StatsRow } from "../api/types";
import type { Source } from "../live/source";
import { fill } from "../live/state";
import { now } from "../live/store";

/** A link within the page; with a modifier key it is the browser's. */
export const A: Component<JSX.AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }> = (props) => {
  const [own, rest] = splitProps(props, ["href"]);
  const follow = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(own.href);
  };
  return <a {...rest} href={own.href} onClick={follow} />;
};

export const isAt = (page: string): boolean => (page === "/" ? path() === "/" : path() === page || path().startsWith(`${page}/`));

/** Text of an agent in one line; all that is fit for a line of it when pointed at. */
export const Clip: Component<{ text: string; limit?: number; class?: string }> = (props) => (
  <span class={`clip ${props.class ?? ""}`} title={line(props.text, 500)}>
    {line(props.text, props.limit)}
  </span>
);

/** How long ago, with the exact time when pointed at. */
export const Age: Component<{ at: number | string | undefined }> = (props) => {
  const at = () => (typeof props.at === "string" ? Date.parse(props.at) : props.at);
  return (
    <Show when={at() !== undefined && !Number.isNaN(at())} fallback={<span class="muted">–</span>}>
      <time class="nowrap num" dateTime={new Date(at()!).toISOString()} title={new Date(at()!).toISOString()}>
        {ago(Math.max(0, now() - at()!))}
      </time>
    </Show>
  );
};

/** The time of day, with the exact one when pointed at. */
export const Time: Component<{ at: string }> = (props) => (
  <time class="nowrap num" dateTime={props.at} title={props.at}>
    {clock(props.at, now())}
  </time>
);

export const Money: Component<{ usd: number | null | undefined; estimated?: boolean }> = (props) => (
  <span class="num nowrap" title={props.usd == null ? "not known" : exactUsd(props.usd) + (props.estimated ? ", estimated" : "")}>
    {props.estimated && props.usd ? "≈ " : ""}
    {usd(props.usd)}
  </span>
);

/** What calls cost together: estimates are said to be estimates, and what nobody knows is counted apart. */
export const Spend: Component<{ row: StatsRow | undefined }> = (props) => (
  <Show when={props.row} fallback={<span class="muted">–</span>}>
    {(row) => (
      <span class="nowrap">
        <Money usd={spentUsd(row())} estimated={row().usd.estimated > 0} />
        <Show when={row().unknown_cost_calls > 0}>
          <span class="muted" title={`${row().unknown_cost_calls} calls whose cost nobody knows`}>
            {" "}
            + ?
          </span>
        </Show>
      </span>
    )}
  </Show>
);

export const spentUsd = (row: StatsRow): number =>
  (Math.round(row.usd.confirmed * 1e9) + Math.round(row.usd.estimated * 1e9)) / 1e9;

/** A command or an id, to take along. */
export const Copy: Component<{
  text: string;
  label?: string;
  show?: boolean;
  /** What it is, for whoever hears it, where its text says too much. */
  what?: string;
}> = (props) => {
  const [copied, setCopied] = createSignal(false);
  const copy = async (event: MouseEvent): Promise<void> => {
    event.preventDefault();
    event.stopPropagation();
    await navigator.clipboard.writeText(props.text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1_500);
  };
  return (
    <span class="copy">
      <Show when={props.show !== false}>
        <code class="clip">{props.text}</code>
      </Show>
      <button type="button" class="plain" onClick={copy} aria-label={`Copy ${props.what ?? props.label ?? props.text}`}>
        {copied() ? "Copied" : (props.label ?? "Copy")}
      </button>
    </span>
  );
};

/** What a panel shows may be so much older than its rhythm. */
const STALE_MS = 5_000;

/** A part of a page, whose owner may be away: then it says so, and the rest lives. */
export const Panel: Component<{
  title: string;
  /** Where what it shows comes from. */
  source?: Pick<Source<unknown>, "at" | "error" | "every_ms">;
  actions?: JSX.Element;
  flush?: boolean;
  class?: string;
  children: JSX.Element;
}> = (props) => {
  const age = () => {
    const at = props.source?.at();
    return at === undefined ? undefined : now() - at;
  };
  const stale = (): boolean => {
    const { source } = props;
    const old = age() ?? Number.POSITIVE_INFINITY;
    if (source?.error() !== undefined) return old > STALE_MS;
    // What is looked at only when it changes may be as old as it likes.
    return source?.every_ms !== undefined && source.at() !== undefined && old > STALE_MS + source.every_ms();
  };
  return (
    <section class={`panel ${props.class ?? ""}`} classList={{ stale: stale() }} aria-label={props.title}>
      <header>
        <h2>{props.title}</h2>
        <span class="space" />
        {props.actions}
      </header>
      <Show when={stale()}>
        <p class="trouble">
          <span role="status">{line(props.source?.error() ?? "no answer yet", 300)}.</span>{" "}
          {age() === undefined ? "Nothing is known yet." : `What is shown was true ${ago(age()!)}.`}
        </p>
      </Show>
      <Show when={!props.source || props.source.at() !== undefined || props.source.error() === undefined}>
        <div class="body" classList={{ flush: props.flush }}>
          {props.children}
        </div>
      </Show>
    </section>
  );
};

/** Nothing is there; what to do about it. */
export const Empty: Component<{ children: JSX.Element; command?: string }> = (props) => (
  <div class="empty">
    {props.children}
    <Show when={props.command}>
      <code>{props.command}</code>
      <Copy text={props.command!} label="Copy the command" show={false} />
    </Show>
  </div>
);

/** How full something is, with the lines at which it becomes a worry. */
export const Meter: Component<{ ratio: number | undefined; label: string }> = (props) => (
  <Show when={props.ratio !== undefined} fallback={<span class="muted">–</span>}>
    <div
      class={`meter f-${fill(props.ratio!)}`}
      role="meter"
      aria-label={props.label}
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow={Math.round(Math.min(props.ratio!, 1) * 100)}
      aria-valuetext={percent(props.ratio)}
    >
      <span class="used" style={{ width: `${Math.min(props.ratio!, 1) * 100}%` }} />
      <span class="limit half" />
      <span class="limit three-quarters" />
    </div>
  </Show>
);

/** A number, with what it is and where more of it is. */
export const Stat: Component<{ label: string; value: JSX.Element; note?: JSX.Element; href?: string }> = (props) => (
  <div class="stat">
    <div class="label">
      <Show when={props.href} fallback={props.label}>
        {(href) => <A href={href()}>{props.label}</A>}
      </Show>
    </div>
    <div class="value">{props.value}</div>
    <Show when={props.note}>
      <div class="note">{props.note}</div>
    </Show>
  </div>
);
