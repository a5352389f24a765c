// Numbers and times for people. What isn't known is a dash, never a zero.

const NONE = "–";
// Made once: a thousand agents are counted many times a second, and to make one takes longer than to use it.
const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** Dollars, with as many digits as tell something: $0.000012, $0.43, $1,203.50. */
export function usd(amount: number | null | undefined): string {
  if (amount === null || amount === undefined) return NONE;
  if (amount === 0) return "$0";
  const size = Math.abs(amount);
  const digits = size >= 0.1 ? 2 : Math.min(9, 2 - Math.floor(Math.log10(size)));
  const text = size.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: digits });
  return `${amount < 0 ? "-" : ""}$${text}`;
}

/** All digits of it. */
export function exactUsd(amount: number): string {
  return `$${amount.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 9 })}`;
}

export function count(n: number | null | undefined): string {
  return n === null || n === undefined ? NONE : WHOLE.format(Math.round(n));
}

/** 12,345 as 12.3k. */
export function short(n: number | null | undefined): string {
  if (n === null || n === undefined) return NONE;
  const steps: [number, string][] = [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ];
  for (const [step, letter] of steps) {
    if (Math.abs(n) >= step * 0.9995) return `${trim(n / step)}${letter}`;
  }
  return trim(n);
}

function trim(n: number): string {
  return Math.abs(n) >= 100 ? n.toFixed(0) : n.toFixed(1).replace(/\.0$/, "");
}

export function percent(ratio: number | null | undefined): string {
  if (ratio === null || ratio === undefined || !Number.isFinite(ratio)) return NONE;
  const value = ratio * 100;
  // What isn't all is never shown as all, nor what is there as nothing.
  if (value > 99 && value < 100) return `${(Math.floor(value * 10) / 10).toFixed(1)} %`;
  if (value > 0 && value < 1) return `${Math.max(value, 0.1).toFixed(1)} %`;
  return `${Math.round(value)} %`;
}

/** A length of time: 340 ms, 2.4 s, 3 min 12 s, 2 h 5 min, 3 d 4 h. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return NONE;
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 9.95) return `${s.toFixed(1)} s`;
  if (s < 59.5) return `${Math.round(s)} s`;
  const whole = Math.round(s);
  if (whole < 3600) return pair(Math.floor(whole / 60), "min", whole % 60, "s");
  const minutes = Math.floor(whole / 60);
  if (minutes < 1440) return pair(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.floor(minutes / 60);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

function pair(a: number, unit: string, b: number, smaller: string): string {
  return b === 0 ? `${a} ${unit}` : `${a} ${unit} ${b} ${smaller}`;
}

/** How long ago, from 0 s on: in whole seconds, so that it doesn't flicker. */
export function ago(ms: number): string {
  return ms < 1000 ? "now" : `${duration(ms < 60_000 ? Math.floor(ms / 1000) * 1000 : ms).replace(".0 s", " s")} ago`;
}

/** The time of day here, to the second; with the day when it isn't today. */
export function clock(ts: string | number, now = Date.now()): string {
  const date = new Date(ts);
  if (Number.isNaN(date.getTime())) return NONE;
  const time = date.toLocaleTimeString("en-GB");
  return date.toDateString() === new Date(now).toDateString() ? time : `${day(date)} ${time}`;
}

function day(date: Date): string {
  return date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
}

export function bytes(n: number): string {
  return n < 1024 ? `${n} B` : n < 1024 * 1024 ? `${trim(n / 1024)} KiB` : `${trim(n / 1024 / 1024)} MiB`;
}
