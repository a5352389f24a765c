// Random forests for tests, the same for the same seed.

import type { Random } from "../../testing/random";
import type { Entry } from "./forest";

const KINDS = ["agent", "agent", "agent", "model", "tool", "service"] as const;

/** Names are few, so that several are of one name and parents are in circles; some name nobody. */
export function randomEntries(random: Random, most = 60): Entry[] {
  const size = random.below(most);
  const names = 1 + random.below(size);
  const name = (): string => `n${random.below(names + 2)}`;
  return Array.from({ length: size }, (_, at): Entry => {
    const kind = random.pick(KINDS);
    const group = kind === "agent" ? undefined : kind === "service" ? "PAS" : random.pick(["local", "external"] as const);
    const parent = kind === "service" || random.chance(0.2) ? undefined : name();
    return { key: `k${at}`, name: name(), kind, parent, group };
  });
}
