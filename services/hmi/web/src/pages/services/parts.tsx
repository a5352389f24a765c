// How PAS's own parts are, by their own word: each as a card.

import { type Component, For, Show, createMemo } from "solid-js";
import type { PartHealth } from "../../api/types";
import { duration } from "../../lib/format";
import { isPhone } from "../../lib/media";
import { line } from "../../lib/text";
import { param, selected, setParams } from "../../lib/url";
import { ofPart } from "../../live/state";
import { sources } from "../../live/store";
import { Copy, Panel } from "../../parts/basic";
import { Mark, type Shown, Tag } from "../../parts/state";

const CHECKS: Record<string, Shown> = { ok: "ok", recovering: "degraded", degraded: "degraded", down: "down" };

export const Parts: Component = () => {
  const parts = () => sources.health.data()?.services ?? [];
  const well = () => parts().filter((part) => part.status === "ok").length;
  // They would push what is selected, and on a phone the list, out of sight: then they show only what is wrong.
  const open = createMemo(() => {
    const chosen = param("parts");
    return chosen === undefined
      ? (!isPhone() && selected("/services") === undefined) || well() < parts().length
      : chosen === "shown";
  });
  return (
    <Panel
      title={parts().length === 0 ? "PAS's own parts" : `PAS's own parts: ${well()} of ${parts().length} are well`}
      source={sources.health}
      actions={
        <button
          type="button"
          class="plain"
          aria-expanded={open()}
          onClick={() => setParams({ parts: open() ? "hidden" : "shown" })}
        >
          {open() ? "Hide" : "Show"}
        </button>
      }
      class="parts"
    >
      <Show when={open()}>
        <ul class="cards">
          <For each={parts().map(({ name }) => name)}>
            {(name) => (
              <Show when={parts().find((part) => part.name === name)}>{(part) => <Card part={part()} />}</Show>
            )}
          </For>
        </ul>
      </Show>
    </Panel>
  );
};

const Card: Component<{ part: PartHealth }> = (props) => {
  const checks = () => Object.entries(props.part.checks ?? {});
  const word = () => (props.part.status === "unreachable" ? "can't be reached" : props.part.status);
  return (
    <li class={`card s-${ofPart(props.part)}`}>
      <div class="line">
        <h3>
          {line(props.part.name, 60)} <span class="muted">{line(props.part.version ?? "", 30)}</span>
        </h3>
        <Tag state={ofPart(props.part)}>{word()}</Tag>
      </div>
      <Show when={props.part.reason}>{(reason) => <p class="wrap">{line(reason(), 300)}</p>}</Show>
      <Show when={checks().length > 0}>
        <ul class="checks" aria-label={`Checks of ${props.part.name}`}>
          <For each={checks()}>
            {([name, check]) => (
              <li class="nowrap" title={check.reason ? line(check.reason, 300) : check.status}>
                <Mark state={CHECKS[check.status] ?? "unknown"} label={`${check.status}:`} />{" "}
                {line(name.replaceAll("_", " "), 40)}
              </li>
            )}
          </For>
        </ul>
      </Show>
      <For
        each={checks().filter(
          ([, check]) => check.status !== "ok" && check.reason && !props.part.reason?.includes(check.reason),
        )}
      >
        {([name, check]) => (
          <p class="muted wrap">
            {line(name.replaceAll("_", " "), 40)}: {line(check.reason ?? "", 300)}
          </p>
        )}
      </For>
      <div class="line muted">
        <Copy text={props.part.url} />
        <span class="num nowrap">
          {props.part.uptime_s === undefined ? "no answer" : `up ${duration(props.part.uptime_s * 1000)}`}
        </span>
      </div>
    </li>
  );
};
