// Many agents: a tree of them, and their beats at a rate.

import { type Registered, type Swarm } from "./swarm";

/** Agents at the root of every hundred; each of ten of them has nine. */
const FAN = 10;

/** Registers so many agents as a tree, and answers them in order. */
export async function crowd(swarm: Swarm, size: number): Promise<Registered[]> {
  const registered: Registered[] = [];
  const one = async (index: number): Promise<void> => {
    const parent = index === 0 ? null : name(Math.floor((index - 1) / FAN));
    registered[index] = await swarm.register({ name: name(index), labels: { parent }, heartbeat_interval_s: 3_600, ttl_s: 7_200 });
  };
  // So many at a time as a machine of two cores takes well.
  for (let from = 0; from < size; from += 50) {
    await Promise.all(Array.from({ length: Math.min(50, size - from) }, (_, index) => one(from + index)));
  }
  return registered;
}

export const name = (index: number): string => `agent-${String(index).padStart(4, "0")}`;

/** Publishes `rate` events a second until it is told to stop: beats of all in turn, and of `probe` once a second. */
export function load(swarm: Swarm, size: number, rate: number, probe: (n: number) => unknown): () => Promise<void> {
  let [sent, probes, stopped] = [0, 0, false];
  const begun = performance.now();
  const beat = (index: number) => ({
    event_type: "heartbeat",
    agent: name(index % size),
    status: index % 7 === 0 ? "waiting" : "running",
    progress: ((index * 13) % 100) / 100,
    token_usage: { ctx_used: (index * 977) % 16_000, ctx_limit: 16_000 },
    resources: { cpu: 0.2, mem_mb: 120 },
  });
  const running = (async () => {
    while (!stopped) {
      const seconds = (performance.now() - begun) / 1_000;
      const due = Math.floor(seconds * rate);
      // Agent 1 is left to the probe.
      const batch = Array.from({ length: Math.min(due - sent, 1_000) }, (_, index) => beat(sent + index)).map((event) =>
        event.agent === name(1) ? { ...event, agent: name(2) } : event,
      );
      sent += batch.length;
      if (seconds * 5 > probes) {
        probes += 1;
        await swarm.publish(probe(probes));
      }
      if (batch.length > 0) await swarm.publish(batch);
      await new Promise((later) => setTimeout(later, 20));
    }
  })();
  return async () => {
    stopped = true;
    await running;
  };
}
