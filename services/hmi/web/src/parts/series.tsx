// A chart of values over time.

import { type Component, createEffect, onCleanup, onMount } from "solid-js";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { prefs } from "../lib/prefs";

export interface Line {
  label: string;
  /** A colour of the sheet, by its name there. */
  color: string;
  /** How a value reads. */
  format: (value: number) => string;
  fill?: boolean;
}

interface Props {
  label: string;
  /** Seconds since 1970. */
  at: number[];
  lines: Line[];
  values: (number | null)[][];
  height?: number;
  /** One value a day, UTC, at its midnight: bars. */
  daily?: boolean;
}

export const Series: Component<Props> = (props) => {
  let box!: HTMLDivElement;
  let plot: uPlot | undefined;
  const data = (): uPlot.AlignedData => [props.at, ...props.values];
  const draw = (): void => {
    plot?.destroy();
    plot = new uPlot(options(box, props), data(), box);
  };
  onMount(() => {
    draw();
    const sized = new ResizeObserver(() => plot?.setSize({ width: box.clientWidth, height: props.height ?? 140 }));
    sized.observe(box);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    onCleanup(() => {
      sized.disconnect();
      scheme.removeEventListener("change", draw);
      plot?.destroy();
    });
  });
  createEffect(() => plot?.setData(data()));
  createEffect((before) => {
    const { theme } = prefs();
    if (before !== undefined && before !== theme) draw();
    return theme;
  });
  return <div ref={box} role="img" aria-label={`${props.label}: ${latest(props)}`} />;
};

function latest({ lines, values }: Props): string {
  return lines
    .map((line, index) => {
      const value = values[index]?.findLast((it) => it !== null);
      return `${line.label} ${value == null ? "not known" : line.format(value)}`;
    })
    .join(", ");
}

function options(box: HTMLElement, { lines, height, daily }: Props): uPlot.Options {
  const style = getComputedStyle(box);
  // A colour as the sheet has it for the scheme in force: a canvas knows no light-dark().
  const color = (name: string): string => {
    const probe = document.createElement("span");
    probe.style.color = `var(--${name})`;
    box.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };
  const axis = { stroke: color("muted"), grid: { stroke: color("line"), width: 1 }, ticks: { show: false }, font: `11px ${style.fontFamily}` };
  const times = { ...axis, values: (_plot: uPlot, ticks: number[]) => ticks.map(timeOf) };
  return {
    ...(daily ? { tzDate: (at: number) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC") } : {}),
    width: box.clientWidth,
    height: height ?? 140,
    padding: [8, 8, 0, 0],
    cursor: { y: false },
    legend: { live: daily ?? false },
    scales: {
      ...(daily ? { x: { range: aroundDays } } : {}),
      // What is spent in a day may be far below one.
      y: { range: (_plot, _min, max) => [0, daily && max > 0 ? max * 1.1 : Math.max(max * 1.1, 1)] },
    },
    axes: [daily ? { ...axis, size: 28, incrs: DAYS, values: (_plot, ticks) => ticks.map(dayOf) } : times, { ...axis, size: daily ? 64 : 44, values: (_plot, ticks) => ticks.map((tick) => lines[0]?.format(tick) ?? String(tick)) }],
    series: [
      { label: daily ? "day" : "time", value: (_plot, at) => (at == null ? "–" : daily ? dayOf(at) : new Date(at * 1000).toLocaleTimeString("en-GB")) },
      ...lines.map((line) => ({
        label: line.label,
        stroke: color(line.color),
        width: 1.5,
        fill: line.fill ? translucent(color(line.color)) : daily ? color(line.color) : undefined,
        ...(daily ? { paths: uPlot.paths.bars?.({ size: [0.7, 48] }) } : {}),
        points: { show: false },
        value: (_plot: uPlot, value: number | null) => (value == null ? "–" : line.format(value)),
      })),
    ],
  };
}

const DAY_S = 86_400;
const DAYS = [1, 2, 7, 14, 28, 56, 112].map((days) => days * DAY_S);

/** Half a day around the first and the last, also where they are one. */
function aroundDays({ data: [at] }: uPlot): [number, number] {
  return [(at[0] ?? 0) - DAY_S / 2, (at.at(-1) ?? DAY_S) + DAY_S / 2];
}

function dayOf(at: number): string {
  return new Date(at * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
}

function timeOf(at: number): string {
  return new Date(at * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

function translucent(rgb: string): string {
  return rgb.replace(/^rgb\(([^)]*)\)$/, "rgb($1 / 18%)").replaceAll(",", " ");
}
