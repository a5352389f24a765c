import { expect, test } from "vitest";
import { fit } from "./fit";

test("a beginning fits better than the beginning of a word, and that better than a middle", () => {
  expect(["coder-2", "my coder", "encoder", "cook"].map((text) => fit(text, "Cod"))).toEqual([3, 2, 1, 0]);
});

test("a word begins behind every sign that parts names", () => {
  for (const sign of " -_.:/") expect(fit(`a${sign}llama`, "llama")).toBe(2);
  expect(fit("ollama", "llama")).toBe(1);
});
