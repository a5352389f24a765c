// The tree of the page, as Solid has it: who is there, what of it is shown, how everyone looks.

import { type Accessor, createMemo, untrack } from "solid-js";
import { agents, moved, now, services, structure } from "../../live/store";
import { type Forest, type TreeNode, above, entriesOf, grow } from "./forest";
import type { Look } from "./look";
import { Looks } from "./looks";
import { closed, focused, open, searched } from "./place";
import { type Row, rowsOf } from "./rows";
import { found } from "./search";

export interface Model {
  forest: Accessor<Forest>;
  /** The root of what is shown: the swarm, or the one whose subtree is looked at. */
  top: Accessor<TreeNode>;
  /** The rows of the outline, which are the nodes of the picture too. */
  rows: Accessor<Row[]>;
  /** Who is found, in the order of the rows. */
  found: Accessor<string[]>;
  look: (node: TreeNode) => Look;
  badBelow: (node: TreeNode) => number;
  /** Grows whenever anybody looks other than before. */
  version: Accessor<number>;
  /** Opens whatever hides this one. */
  reveal: (key: string) => void;
}

export function createModel(): Model {
  const size = createMemo(() => agents().length);
  const forest = createMemo(() => {
    structure();
    size();
    return untrack(() => grow(entriesOf(agents(), services())));
  });
  const top = createMemo(() => forest().nodes.get(focused() ?? "") ?? forest().root);
  const rows = createMemo(() => rowsOf(top(), closed()));
  const looks = new Looks();
  const version = createMemo<number>((before) => {
    moved();
    return looks.update(forest(), agents(), services(), now()) ? before + 1 : before;
  }, 0);
  return {
    forest,
    top,
    rows,
    found: createMemo(() => found(top(), searched())),
    look: (node) => {
      version();
      return looks.of(node);
    },
    badBelow: (node) => looks.badBelow(node),
    version,
    reveal: (key) => {
      const node = forest().nodes.get(key);
      if (node) open(above(node).map((it) => it.key));
    },
  };
}
