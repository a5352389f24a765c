import { expect, test } from "vitest";
import { grow } from "./forest";
import { Looks } from "./looks";

const forest = grow([
  { key: "1", name: "a", kind: "agent" },
  { key: "2", name: "b", kind: "agent", parent: "a" },
  { key: "m", name: "m", kind: "model", group: "local" },
]);
const node = (key: string) => forest.nodes.get(key) ?? forest.root;
const agent = (key: string, status: string) => ({
  key,
  name: key,
  service: { status, paused: false } as never,
  calls: [],
});
const model = {
  service_id: "m",
  type: "model",
  status: "ok",
  status_reasons: [],
  paused: false,
  p95_ms: null,
} as never;

test("looks change only when somebody looks different", () => {
  const looks = new Looks();
  const [a, b] = [agent("1", "ok"), agent("2", "ok")];
  expect(looks.update(forest, [a, b], [model], 1)).toBe(true);
  expect(looks.update(forest, [a, b], [model], 1)).toBe(false);
  expect(looks.update(forest, [a, { ...b }], [model], 2)).toBe(false);
  expect(looks.update(forest, [a, agent("2", "down")], [model], 2)).toBe(true);
  expect(looks.of(node("2")).state).toBe("down");
});

test("what is wrong is counted in everything above it", () => {
  const looks = new Looks();
  looks.update(forest, [agent("1", "ok"), agent("2", "down")], [model], 1);
  expect(["1", "2", "group:services", "swarm"].map((key) => looks.badBelow(node(key)))).toEqual([1, 0, 0, 1]);
  expect(looks.of(forest.root)).toEqual({ state: "degraded", diameter: 16, note: "5 below, 1 needs a look" });
});

test("an agent that is stuck is seen when time passes, though nothing is told of it", () => {
  const looks = new Looks();
  const call = { run_id: "gw-1", ts: "1970-01-01T00:00:00Z", age_ms: 0, route: "/invoke" };
  const a = { ...agent("1", "ok"), calls: [call] };
  looks.update(forest, [a], [], 1_000);
  expect([looks.update(forest, [a], [], 30_000), looks.of(node("1")).state]).toEqual([true, "stuck"]);
});
