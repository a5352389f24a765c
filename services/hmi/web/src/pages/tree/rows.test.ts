import { describe, expect, test } from "vitest";
import { random } from "../../testing/random";
import { down, grow } from "./forest";
import { randomEntries } from "./random.test-data";
import { move, rowsOf, typed } from "./rows";

const { root } = grow(
  [
    ["1", "a", undefined],
    ["2", "b", "a"],
    ["3", "bc", "a"],
    ["4", "d", undefined],
  ].map(([key, name, parent]) => ({ key: key as string, name: name as string, kind: "agent" as const, parent })),
);
const rows = rowsOf(root, new Set());

describe("the rows of the tree", () => {
  test("each stands after its parent, with its level and its place among its siblings", () => {
    expect(rows.map(({ node, level, open, place, of }) => [node.name, level, open, place, of])).toEqual([
      ["Swarm", 1, true, 1, 1],
      ["a", 2, true, 1, 2],
      ["b", 3, undefined, 1, 2],
      ["bc", 3, undefined, 2, 2],
      ["d", 2, undefined, 2, 2],
    ]);
  });

  test("what is closed shows nothing below it", () => {
    expect(rowsOf(root, new Set(["1"])).map(({ node }) => node.name)).toEqual(["Swarm", "a", "d"]);
  });

  test("with nothing closed, all of a random forest are rows once", () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const { root } = grow(randomEntries(random(seed)));
      expect(rowsOf(root, new Set()).map(({ node }) => node)).toEqual([...down(root)]);
    }
  });
});

describe("keys in the tree", () => {
  test.each([
    ["ArrowDown", 1, { to: 2 }],
    ["ArrowDown", 4, { to: 4 }],
    ["ArrowUp", 0, { to: 0 }],
    ["Home", 3, { to: 0 }],
    ["End", 1, { to: 4 }],
    ["PageDown", 1, { to: 4 }],
    ["PageUp", 4, { to: 0 }],
    ["ArrowRight", 1, { to: 2 }],
    ["ArrowRight", 2, undefined],
    ["ArrowLeft", 1, { toggle: "1" }],
    ["ArrowLeft", 3, { to: 1 }],
    ["ArrowLeft", 4, { to: 0 }],
    ["x", 1, undefined],
  ] as const)("%s on row %i does %o", (key, at, does) => expect(move(rows, at, key)).toEqual(does));

  test("the right key opens what is closed, and the left one goes from it to its parent", () => {
    const some = rowsOf(root, new Set(["1"]));
    expect([move(some, 1, "ArrowRight"), move(some, 1, "ArrowLeft")]).toEqual([{ toggle: "1" }, { to: 0 }]);
  });

  test("letters go to the next that begins with them, round the end", () => {
    expect([
      typed(rows, 0, "b"),
      typed(rows, 2, "b"),
      typed(rows, 3, "b"),
      typed(rows, 2, "bc"),
      typed(rows, 4, "SW"),
    ]).toEqual([2, 3, 2, 3, 0]);
    expect([typed(rows, 2, "bb"), typed(rows, 0, "x"), typed([], 0, "x")]).toEqual([3, undefined, undefined]);
  });
});
