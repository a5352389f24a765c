import { describe, expect, test } from "vitest";
import { service } from "../../testing/known";
import { random } from "../../testing/random";
import { type Entry, type TreeNode, above, down, entriesOf, grow } from "./forest";
import { randomEntries } from "./random.test-data";

/** Who is under whom, by key. */
const shape = (node: TreeNode): unknown => ({ [node.key]: node.children.map(shape) });
const agent = (key: string, name: string, parent?: string): Entry => ({ key, name, kind: "agent", parent });

describe("who is under whom", () => {
  test("agents are under the agent that their label names, by name", () => {
    const { root } = grow([agent("3", "b", "a"), agent("1", "a"), agent("2", "c", "a")]);
    expect(shape(root)).toEqual({ swarm: [{ "1": [{ "3": [] }, { "2": [] }] }] });
  });

  test("whoever names nobody that is there is under the root, and is told so", () => {
    const { root, nodes } = grow([agent("1", "a", "nobody")]);
    expect(shape(root)).toEqual({ swarm: [{ "1": [] }] });
    expect(nodes.get("1")?.orphan).toBe("nobody");
  });

  test("whoever is its own parent is under the root", () => {
    expect(shape(grow([agent("1", "a", "a")]).root)).toEqual({ swarm: [{ "1": [] }] });
  });

  test("a circle is cut at its first member by name", () => {
    const { root } = grow([agent("1", "c", "b"), agent("2", "b", "a"), agent("3", "a", "c"), agent("4", "z", "b")]);
    expect(shape(root)).toEqual({ swarm: [{ "3": [{ "2": [{ "1": [] }, { "4": [] }] }] }] });
  });

  test("of several of one name, the first registered has the children, and all are there", () => {
    const { root } = grow([agent("2", "a"), agent("1", "a"), agent("3", "b", "a")]);
    expect(shape(root)).toEqual({ swarm: [{ "1": [{ "3": [] }] }, { "2": [] }] });
  });

  test("models are under their parent, else in the group of where they are, and PAS's services in theirs", () => {
    const { root } = grow([
      agent("1", "a"),
      { key: "m1", name: "m1", kind: "model", parent: "a", group: "local" },
      { key: "m2", name: "m2", kind: "model", parent: "nobody", group: "external" },
      { key: "t1", name: "t1", kind: "tool", group: "local" },
      { key: "s1", name: "registry", kind: "service", group: "PAS" },
    ]);
    const services = {
      "group:services": [
        { "group:local": [{ t1: [] }] },
        { "group:external": [{ m2: [] }] },
        { "group:PAS": [{ s1: [] }] },
      ],
    };
    expect(shape(root)).toEqual({ swarm: [{ "1": [{ m1: [] }] }, services] });
  });

  test("a name is shown in one line, without what turns the writing", () => {
    expect(grow([agent("1", "a\u202eb\nc")]).nodes.get("1")?.name).toBe("a b c");
  });

  test("a chain of twenty thousand takes no stack", () => {
    const chain = Array.from({ length: 20_000 }, (_, at) =>
      agent(`k${at}`, `n${at}`, at === 0 ? undefined : `n${at - 1}`),
    );
    const { root, nodes } = grow(chain);
    expect([root.below, nodes.get("k19999")?.depth]).toEqual([20_000, 20_000]);
  });
});

test("everyone is in each of 300 random forests once, in whatever order they came", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const next = random(seed);
    const entries = randomEntries(next);
    const { root, nodes } = grow(entries);
    const there = [...down(root)];
    const keys = there.filter(({ kind }) => kind !== "swarm" && kind !== "group").map(({ key }) => key);
    expect(keys.sort(), `forest ${seed}`).toEqual(entries.map(({ key }) => key).sort());
    expect(nodes.size).toBe(there.length);
    for (const node of there) {
      expect(node.below).toBe([...down(node)].length - 1);
      expect(node.depth).toBe(above(node).length);
      expect(node === root || above(node).at(-1) === root).toBe(true);
    }
    const shuffled = [...entries].sort(() => (next.chance(0.5) ? 1 : -1));
    expect(shape(grow(shuffled).root), `forest ${seed}`).toEqual(shape(root));
  }
});

test("a model or a tool is where its label or its address says, and elsewhere when neither does", () => {
  const groups = entriesOf(
    [],
    [
      service({ name: "a", type: "model", url: "http://127.0.0.1:8050" }),
      service({ name: "b", type: "tool", url: "https://api.example.com" }),
      service({ name: "c", type: "model", url: "https://api.example.com", labels: { locality: "local" } }),
      service({ name: "d", type: "tool" }),
    ],
  ).map(({ group }) => group);
  expect(groups).toEqual(["local", "external", "local", "external"]);
});

test("agents that only publish events have a place, and no service is there twice", () => {
  const rows = [{ service_id: "1", name: "a", type: "agent", labels: {}, url: null }] as never[];
  const entries = entriesOf(
    [
      { key: "1", name: "a", service: rows[0], calls: [] },
      { key: "name:x", name: "x", calls: [] },
    ],
    rows,
  );
  expect(entries.map(({ key }) => key)).toEqual(["1", "name:x"]);
});
