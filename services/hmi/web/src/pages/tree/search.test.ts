import { expect, test } from "vitest";
import { grow } from "./forest";
import { around, found } from "./search";
import { decodeKeys, encodeKeys } from "./keys";

const { root } = grow([
  { key: "id-1", name: "Architect", kind: "agent" },
  { key: "id-2", name: "coder", kind: "agent", parent: "Architect" },
  { key: "id-3", name: "llama", kind: "model", group: "local" },
]);

test("a search finds names that hold the text in whatever case, or the whole id, and no groups", () => {
  expect(
    ["ARCH", "c", " llama ", "ID-2", "id-", "", "  ", "services", "swarm"].map((text) => found(root, text)),
  ).toEqual([["id-1"], ["id-1", "id-2"], ["id-3"], ["id-2"], [], [], [], [], []]);
});

test("after the last comes the first, and before the first the last", () => {
  expect([around(2, 1, 3), around(0, -1, 3), around(0, 1, 0)]).toEqual([0, 2, 0]);
});

test("keys come back from the URL as they went into it", () => {
  const keys = ["name:a,b", "name:%", "group:PAS", "018f"];
  expect(decodeKeys(encodeKeys(keys))).toEqual(keys);
  expect(decodeKeys("%E0%A4%A,x,,")).toEqual(["x"]);
});
