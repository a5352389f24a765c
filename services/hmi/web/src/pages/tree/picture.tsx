// The tree as a picture: who is chosen there is chosen on the page. The outline says the same to who doesn't see it.

import {
  type Component,
  Show,
  createEffect,
  createMemo,
  createSignal,
  on,
  onCleanup,
  onMount,
  untrack,
} from "solid-js";
import type { SwarmEvent } from "../../api/types";
import { count } from "../../lib/format";
import { prefs } from "../../lib/prefs";
import { go } from "../../lib/url";
import { agentNamed, onEvent } from "../../live/store";
import type { TreeNode } from "./forest";
import { listen } from "./gestures";
import { layOut } from "./layout";
import { belowText } from "./looks";
import type { Model } from "./model";
import type { Scene } from "./scene";
import { chosen, closed, hrefOf, searched, toggle } from "./place";
import type { Weight } from "./pulses";
import { Stage } from "./stage";
import { themeOf } from "./theme";
import type { Point } from "./view";

/** What the page can have the picture do. */
export interface Hold {
  show(key: string, options?: { always?: boolean }): void;
  zoom(factor: number): void;
  fit(): void;
}

interface Props {
  model: Model;
  /** Whom of those found one is at. */
  current: string | undefined;
  hold: (hold: Hold | undefined) => void;
  painted: () => void;
}

/** What lights an edge up, and how much. */
const WEIGHTS = new Map<string, Weight>([
  ["heartbeat", 1],
  ["status_update", 2],
  ["receipt", 2],
]);
const STEP = 1.3;

export const Picture: Component<Props> = (props) => {
  let box!: HTMLDivElement;
  let canvas!: HTMLCanvasElement;
  let overlay!: HTMLCanvasElement;
  const [stage, setStage] = createSignal<Stage>();
  const [over, setOver] = createSignal<{ node: TreeNode; at: Point }>();
  const { model } = props;
  const layout = createMemo(() => layOut(model.top(), closed()));
  const found = createMemo(() => (searched() === "" ? undefined : new Set(model.found())));

  const scene = createMemo((): Scene => ({
    layout: layout(),
    lookOf: (place) => untrack(() => model.look(place.node)),
    hiddenOf: ({ node }) =>
      node.children.length > 0 && closed().has(node.key) ? belowText(node, model.badBelow(node)) : undefined,
    chosen: chosen(),
    found: found(),
    current: props.current,
  }));

  onMount(() => {
    const stage = new Stage(canvas, overlay, themeOf(box));
    stage.whenPainted(props.painted);
    const sized = new ResizeObserver(() =>
      stage.resize({ width: box.clientWidth, height: box.clientHeight }, devicePixelRatio),
    );
    sized.observe(box);
    const recolour = (): void => stage.setTheme(themeOf(box));
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", recolour);
    createEffect(on(() => prefs().theme, recolour, { defer: true }));
    const ended = [listen(canvas, hand(stage, setOver)), onEvent(heard(stage, model))];
    setStage(stage);
    props.hold(stage);
    onCleanup(() => {
      for (const end of ended) end();
      sized.disconnect();
      scheme.removeEventListener("change", recolour);
      stage.stop();
      props.hold(undefined);
    });
  });
  createEffect(() => stage()?.setScene(scene()));
  createEffect(on(model.version, () => stage()?.changed(), { defer: true }));

  return (
    <div class="tree-picture" ref={box}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Picture of the tree of ${count(layout().places.length)}; the outline says the same`}
      />
      <canvas ref={overlay} aria-hidden="true" />
      <div class="tree-zoom" role="group" aria-label="Zoom">
        <button type="button" aria-label="Nearer" title="Nearer (+)" onClick={() => stage()?.zoom(STEP)}>
          +
        </button>
        <button type="button" aria-label="Farther" title="Farther (-)" onClick={() => stage()?.zoom(1 / STEP)}>
          −
        </button>
        <button type="button" aria-label="Fit: show all" title="Show all (0)" onClick={() => stage()?.fit()}>
          Fit
        </button>
      </div>
      <Show when={over()} keyed>
        {({ node, at }) => (
          <div class="tree-tip" aria-hidden="true" style={{ left: `${at.x + 14}px`, top: `${at.y + 14}px` }}>
            <strong class="clip">{node.name}</strong>
            <span class="muted">
              {node.kind === "swarm" || node.kind === "group" ? "" : `${node.kind} · `}
              {model.look(node).note}
            </span>
          </div>
        )}
      </Show>
    </div>
  );
};

function hand(stage: Stage, setOver: (over: { node: TreeNode; at: Point } | undefined) => void) {
  return {
    move: (dx: number, dy: number) => {
      setOver(undefined);
      stage.move(dx, dy);
    },
    zoom: (factor: number, at: Point) => stage.zoom(factor, at),
    tap: (at: Point) => {
      const place = stage.at(at);
      if (place) go(hrefOf(place.node.key));
    },
    twice: (at: Point) => {
      const node = stage.at(at)?.node;
      if (node && node.children.length > 0) toggle(node.key);
    },
    over: (at: Point | undefined) => {
      const node = at && stage.at(at)?.node;
      setOver(at && node ? { node, at } : undefined);
    },
  };
}

/** Lights up the edge to whoever something is heard of, or to who hides him. */
function heard(stage: Stage, model: Model): (event: SwarmEvent) => void {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  return (event) => {
    const weight = WEIGHTS.get(event.event_type);
    if (weight === undefined || event.agent === undefined || still.matches || document.hidden) return;
    const { nodes } = model.forest();
    const { agent, service_id } = event;
    let node = nodes.get(service_id ?? "") ?? nodes.get(agentNamed(agent)?.key ?? "");
    for (let at = node?.parent; at; at = at.parent) if (closed().has(at.key)) node = at;
    if (node) stage.pulse(node.key, weight);
  };
}
