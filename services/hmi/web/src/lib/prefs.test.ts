import { expect, test, vi } from "vitest";

// The preferences put the theme on the document as they are read.
vi.stubGlobal("document", { documentElement: { dataset: {} } });
const { isQuiet } = await import("./prefs");

test("quiet hours are those between, also over midnight", () => {
  for (let from = 0; from < 24; from += 1) {
    for (let to = 0; to < 24; to += 1) {
      const quiet = new Set<number>();
      for (let hour = from; hour !== to; hour = (hour + 1) % 24) quiet.add(hour);
      for (let hour = 0; hour < 24; hour += 1) expect(isQuiet(`${from}-${to}`, hour)).toBe(quiet.has(hour));
    }
  }
});

test("a whole day can be quiet, and what is no time isn't", () => {
  expect(Array.from({ length: 24 }, (_, hour) => isQuiet("0-24", hour))).toEqual(Array(24).fill(true));
  for (const text of ["", "22", "22-", "night", "24-7", "22-25", "-1-5", "22:00-07:00"])
    expect(isQuiet(text, 23)).toBe(false);
  expect(isQuiet(" 22-7 ", 23)).toBe(true);
});
