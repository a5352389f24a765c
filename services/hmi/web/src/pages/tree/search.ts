// Who is looked for. Pure.

import { type TreeNode, down } from "./forest";

/** The keys of those below `top` whose name holds the text, or whose key is it, in the order of the rows. */
export function found(top: TreeNode, text: string): string[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return [];
  const keys: string[] = [];
  for (const { key, name, kind } of down(top)) {
    if (kind === "swarm" || kind === "group") continue;
    if (name.toLowerCase().includes(wanted) || key.toLowerCase() === wanted) keys.push(key);
  }
  return keys;
}

/** The next of `size` in a ring. */
export const around = (at: number, by: number, size: number): number => (size === 0 ? 0 : (at + by + size) % size);
