import { expect, test } from "vitest";
import type { StatsRow } from "../../api/types";
import { grow } from "./forest";
import { namesBelow, spentBy } from "./spend";

const row = (key: string, confirmed: number, estimated = 0, unknown = 0): [string, StatsRow] => [
  key,
  {
    key,
    calls: 2,
    by_status: {} as never,
    tokens: {} as never,
    usd: { confirmed, estimated },
    unknown_cost_calls: unknown,
  },
];
const names = new Map([
  ["1", "a"],
  ["2", "b"],
  ["3", "b"],
  ["4", "a"],
  ["5", "c"],
]);
const { nodes } = grow(
  [...names].map(([key, name]) => ({
    key,
    name,
    kind: "agent" as const,
    parent: { "2": "a", "3": "a", "4": "b", "5": "b" }[key],
  })),
);

test("of several of one name below, the gateway's sum is taken once, and the agent's own name isn't below it", () => {
  const a = nodes.get("1");
  expect(a && [...namesBelow(a, (key) => names.get(key))].sort()).toEqual(["b", "c"]);
});

test("a sum is exact to the nano-dollar, and says what is estimated and what nobody knows", () => {
  const rows = new Map([row("a", 0.1), row("b", 0.2, 0.000000001), row("c", 0, 0, 1)]);
  expect(spentBy(["a", "b", "c", "d"], rows)).toEqual({ usd: 0.300000001, estimated: true, calls: 6, unknown: 1 });
  expect(spentBy(["a"], rows)).toEqual({ usd: 0.1, estimated: false, calls: 2, unknown: 0 });
  expect(spentBy([], rows)).toEqual({ usd: 0, estimated: false, calls: 0, unknown: 0 });
});
