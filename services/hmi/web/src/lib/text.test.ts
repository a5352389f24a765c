import { expect, test } from "vitest";
import { seeds } from "../testing/random";
import { block, isPlain, line } from "./text";

// What turns the writing direction, can't be seen, or controls something.
const HIDDEN = [
  "\u0000",
  "\u001b",
  "\u0085",
  "\u00ad",
  "\u200b",
  "\u200f",
  "\u202e",
  "\u2066",
  "\u2069",
  "\ufeff",
  "\n",
  "\t",
];
const SEEN = ["a", "Z", " ", "<b>", "&amp;", "世", "🙂", "א", "\u0301"];

const hidden = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/;

test("a line is one line of at most its length, in which all can be seen", () => {
  seeds(300, (random) => {
    const parts = Array.from({ length: random.below(120) }, () => random.pick(random.chance(0.3) ? HIDDEN : SEEN));
    const limit = 1 + random.below(60);
    const shown = line(parts.join(""), limit);
    expect(hidden.test(shown)).toBe(false);
    expect([...shown].length).toBeLessThanOrEqual(limit + 1);
    if ([...parts.join("")].length <= limit) expect([...shown].length).toBe([...parts.join("")].length);
    else expect(shown.endsWith("…")).toBe(true);
    // No letter is cut in half.
    expect(shown.isWellFormed()).toBe(true);
  });
});

test("a line of a text of megabytes is as long as any other", () => {
  expect([...line("x\u202e".repeat(5_000_000), 100)].length).toBe(101);
});

test("what looks as it is is plain, and what can be mistaken is not", () => {
  expect(["a", "a b", "世界 🙂", "x".repeat(80)].map((text) => isPlain(text, 80))).toEqual([true, true, true, true]);
  const others = ["a\u200b", "\u202ea", " a", "a ", "a  b", "a\u00a0b", "a\nb", "x".repeat(81)];
  expect(others.filter((text) => isPlain(text, 80))).toEqual([]);
});

test("a block keeps its new lines and tabs, and nothing else that can't be seen", () => {
  expect(block("a\n\tb\u202ec\u0007")).toBe("a\n\tbc");
  expect(block("x".repeat(30), 10)).toBe(`${"x".repeat(10)}\n… 20 more`);
});
