import { expect, test } from "vitest";
import { type Node, lines, rollup } from "./rollup";
import { type Sums, nanos, nothing, total } from "./sums";

const spent = (of: Record<string, number>, unnamed?: number): Map<string | null, Sums> => {
  const sums = (n: number): Sums => ({ ...nothing(), calls: 1, confirmed_nanos: n });
  const rows = Object.entries(of).map(([name, n]): [string | null, Sums] => [name, sums(n)]);
  return new Map(unnamed === undefined ? rows : [...rows, [null, sums(unnamed)]]);
};
const shape = (nodes: Node[]): unknown =>
  nodes.map(({ name, own, all, children }) => [
    name,
    nanos(own),
    nanos(all),
    ...(children.length > 0 ? [shape(children)] : []),
  ]);

test("an agent's spend is its own and, beside it, that of all below it too", () => {
  const placed = [
    { name: "root" },
    { name: "a", parent: "root" },
    { name: "b", parent: "root" },
    { name: "a1", parent: "a" },
  ];
  expect(shape(rollup(spent({ root: 1, a: 10, b: 100, a1: 1000 }), placed))).toEqual([
    [
      "root",
      1,
      1111,
      [
        ["a", 10, 1010, [["a1", 1000, 1000]]],
        ["b", 100, 100],
      ],
    ],
  ]);
});

test("whoever called nothing is there only above those who did", () => {
  const placed = [{ name: "root" }, { name: "a", parent: "root" }, { name: "idle", parent: "root" }];
  expect(shape(rollup(spent({ a: 5 }), placed))).toEqual([["root", 0, 5, [["a", 5, 5]]]]);
});

test("agents that the registry doesn't list, and calls that named none, stand beside the tree", () => {
  const roots = rollup(spent({ gone: 1, a: 2 }, 3), [{ name: "a", parent: "nobody" }]);
  expect(shape(roots)).toEqual([
    ["a", 2, 2],
    ["gone", 1, 1],
    [null, 3, 3],
  ]);
  expect(roots.map(({ listed }) => listed)).toEqual([true, false, false]);
});

test("a circle of parents is cut at its first member, and nothing is counted twice or left out", () => {
  const placed = [
    { name: "c", parent: "b" },
    { name: "b", parent: "a" },
    { name: "a", parent: "c" },
    { name: "self", parent: "self" },
    { name: "below", parent: "b" },
  ];
  const roots = rollup(spent({ below: 1, c: 10, b: 100, a: 1000, self: 10_000 }), placed);
  expect(shape(roots)).toEqual([
    [
      "a",
      1000,
      1111,
      [
        [
          "b",
          100,
          111,
          [
            ["below", 1, 1],
            ["c", 10, 10],
          ],
        ],
      ],
    ],
    ["self", 10_000, 10_000],
  ]);
});

test("the roots together are all that was spent", () => {
  const names = Array.from({ length: 1_000 }, (_, n) => `agent-${n}`);
  const placed = names.map((name, n) => ({ name, parent: n === 0 ? undefined : names[Math.floor((n - 1) / 3)] }));
  const all = spent(Object.fromEntries(names.map((name, n) => [name, n * 7 + 1])), 13);
  const roots = rollup(all, placed);
  expect(total(roots.map((root) => root.all))).toEqual(total(all.values()));
});

test("what is below a closed node is not seen", () => {
  const placed = [{ name: "root" }, { name: "a", parent: "root" }, { name: "a1", parent: "a" }];
  const roots = rollup(spent({ root: 1, a: 1, a1: 1 }), placed);
  const order = (a: Node, b: Node): number => nanos(b.all) - nanos(a.all);
  const seen = (open: string[]): unknown =>
    lines(roots, (key) => open.includes(key), order).map(({ key, depth }) => [key, depth]);
  expect(seen([])).toEqual([["root", 0]]);
  expect(seen(["root"])).toEqual([
    ["root", 0],
    ["a", 1],
  ]);
  expect(seen(["root", "a"])).toEqual([
    ["root", 0],
    ["a", 1],
    ["a1", 2],
  ]);
});

test("a chain of 20,000 agents is summed up, and all of it can be seen", () => {
  const size = 20_000;
  const names = Array.from({ length: size }, (_, n) => `agent-${n}`);
  const placed = names.map((name, n) => ({ name, parent: names[n - 1] }));
  // The lowest first: its line is the longest.
  const all = spent(Object.fromEntries(names.map((name) => [name, 1]).reverse()));
  const roots = rollup(all, placed);
  expect(roots.map((root) => nanos(root.all))).toEqual([size]);
  const seen = lines(
    roots,
    () => true,
    () => 0,
  );
  expect([seen.length, seen.at(-1)?.depth, seen.at(-1)?.key]).toEqual([size, size - 1, `agent-${size - 1}`]);
});
