import type { Attempt, Receipt } from "../api/types";

/** Who answered a call; of one that nobody answered, who was asked last. */
export function asked({ resolved, attempts }: Receipt): NonNullable<Receipt["resolved"]> | Attempt | undefined {
  return resolved ?? attempts?.at(-1);
}
