// Random forests for tests, the same for the same seed.

import type { Entry } from "./forest";

/** Numbers from 0 to 1 (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Names are few, so that several are of one name and parents are in circles; some name nobody. */
export function randomEntries(next: () => number, most = 60): Entry[] {
  const size = Math.floor(next() * most);
  const names = 1 + Math.floor(next() * size);
  const name = (): string => `n${Math.floor(next() * (names + 2))}`;
  return Array.from({ length: size }, (_, at): Entry => {
    const kind = (["agent", "agent", "agent", "model", "tool", "service"] as const)[Math.floor(next() * 6)] ?? "agent";
    const group = kind === "agent" ? undefined : kind === "service" ? "PAS" : next() < 0.5 ? "local" : "external";
    const parent = kind === "service" || next() < 0.2 ? undefined : name();
    return { key: `k${at}`, name: name(), kind, parent, group };
  });
}
