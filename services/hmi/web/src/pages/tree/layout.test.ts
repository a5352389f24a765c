import { describe, expect, test } from "vitest";
import { random } from "../../testing/random";
import { type Entry, down, grow } from "./forest";
import { layOut } from "./layout";
import { randomEntries } from "./random.test-data";
import { rowsOf } from "./rows";
import { type Box, FEW, type Frame, type Layout } from "./sizes";

const NONE: ReadonlySet<string> = new Set();

/** Pairs of boxes that lie over each other: by a sweep, since there are thousands. */
function overlaps(boxes: Box[]): number {
  const sorted = [...boxes].sort((a, b) => a.left - b.left);
  let found = 0;
  let open: Box[] = [];
  for (const box of sorted) {
    open = open.filter((it) => it.right > box.left + 1e-6);
    found += open.filter((it) => it.top < box.bottom - 1e-6 && it.bottom > box.top + 1e-6).length;
    open.push(box);
  }
  return found;
}

const agents = (size: number, parent: (at: number) => string | undefined): Entry[] =>
  Array.from({ length: size }, (_, at) => ({ key: `k${at}`, name: `n${at}`, kind: "agent", parent: parent(at) }));

function check(entries: Entry[], closed = NONE): void {
  const { root } = grow(entries);
  const layout = layOut(root, closed);
  const rows = rowsOf(root, closed).map(({ node }) => node.key);
  expect(layout.places.map(({ node }) => node.key).sort()).toEqual(rows.sort());
  expect(overlaps(layout.places.map(({ room }) => room))).toBe(0);
  for (const { node, x } of layout.places) {
    const parent = node.parent && layout.byKey.get(node.parent.key);
    if (parent) expect(x).toBeGreaterThan(parent.x);
  }
  for (const frame of layout.frames) checkFrame(layout, frame);
}

/** Those that a frame is for are within it, and nobody else is. */
function checkFrame({ places }: Layout, frame: Frame): void {
  const within = new Set(places.filter((place) => place.frame === frame).flatMap(({ node }) => [...down(node)]));
  for (const { node, room } of places) {
    const is = within.has(node)
      ? overlaps([room, frame.box]) === 1 && inside(room, frame.box)
      : overlaps([room, frame.box]) === 0;
    if (!is) expect.fail(`${node.key} and the frame of ${frame.owner.key}`);
  }
}

function inside(a: Box, b: Box): boolean {
  return a.left >= b.left - 1e-6 && a.right <= b.right + 1e-6 && a.top >= b.top - 1e-6 && a.bottom <= b.bottom + 1e-6;
}

describe("where everyone is drawn", () => {
  test("in each of 200 random forests everyone who is shown has a room of its own, right of its parent", () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const next = random(seed);
      const entries = randomEntries(next, 300);
      const closed = new Set([...down(grow(entries).root)].filter(() => next.chance(0.1)).map(({ key }) => key));
      check(entries);
      check(entries, closed);
    }
  });

  test("a thousand leaves of one agent are a block, about as high as wide", () => {
    const entries = agents(1_001, (at) => (at === 0 ? undefined : "n0"));
    check(entries);
    const { frames } = layOut(grow(entries).root, NONE);
    const { left, right, top, bottom } = frames[0]?.box ?? { left: 0, right: 0, top: 0, bottom: 1 };
    const ratio = (right - left) / (bottom - top);
    expect([frames.map(({ of }) => of), ratio > 1, ratio < 2.5]).toEqual([["leaves"], true, true]);
  });

  test("few leaves are rows, and branches beside a block keep theirs", () => {
    expect(layOut(grow(agents(FEW, () => undefined)).root, NONE).frames).toEqual([]);
    check(agents(400, (at) => (at < 40 ? undefined : at < 80 ? `n${at - 40}` : `n${at % 7}`)));
  });

  test("five thousand agents in a hundred teams are about as high as wide", () => {
    const entries = agents(5_000, (at) => (at === 0 ? undefined : at < 100 ? "n0" : `n${1 + (at % 99)}`));
    check(entries);
    const { frames, box } = layOut(grow(entries).root, NONE);
    const ratio = (box.right - box.left) / (box.bottom - box.top);
    expect([frames.filter(({ of }) => of === "branches").length, ratio > 0.8, ratio < 3]).toEqual([1, true, true]);
  });

  test("fields within fields hold their own", () => {
    check(
      agents(3_000, (at) =>
        at === 0 ? undefined : at <= 8 ? "n0" : at <= 80 ? `n${1 + (at % 8)}` : `n${9 + (at % 72)}`,
      ),
    );
    // Every tenth leads on to ten more, deep down.
    check(agents(2_000, (at) => (at === 0 ? undefined : `n${Math.floor((at - 1) / 10)}`)));
  });

  test("a chain of three thousand takes no stack", () =>
    check(agents(3_000, (at) => (at === 0 ? undefined : `n${at - 1}`))));
});
