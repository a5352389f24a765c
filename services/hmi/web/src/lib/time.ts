// The time by the clock of the HMI's machine: what is told carries that clock's times, and the browser's own may differ.

/** Whoever differs by less agrees: the header has whole seconds, and an answer takes a while. */
const AGREES_MS = 3_000;
/** An answer that took longer tells nothing of the time. */
const PROMPT_MS = 2_000;
/** What is learnt again and again is as good as this. */
const JITTER_MS = 1_500;

let ahead_ms = 0;

export const serverTime = (): number => Date.now() + ahead_ms;

/** Learns from the `date` of an answer. */
export function learnTime(date: string | null, asked_at: number, answered_at: number): void {
  const told = Date.parse(date ?? "");
  if (Number.isNaN(told) || answered_at - asked_at > PROMPT_MS) return;
  const ahead = told + 500 - (asked_at + answered_at) / 2;
  const known = Math.abs(ahead) < AGREES_MS ? 0 : ahead;
  if (known === 0 || Math.abs(known - ahead_ms) > JITTER_MS) ahead_ms = known;
}
