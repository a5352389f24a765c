import { expect, test } from "vitest";
import { groupBy } from "./group";

test("items are grouped in the order in which they come", () => {
  expect([...groupBy([3, 1, 4, 1, 5, 9, 2], (n) => (n % 2 === 0 ? "even" : "odd"))]).toEqual([
    ["odd", [3, 1, 1, 5, 9]],
    ["even", [4, 2]],
  ]);
});
