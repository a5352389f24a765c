import { expect, test } from "vitest";
import type { StatsRow } from "../../api/types";
import { allRows } from "../../api/stats";
import { withoutHead } from "./load";

const row = (key: string | null): StatsRow => ({ key, calls: 1 }) as StatsRow;

test("all pages are followed to the last, in their order", async () => {
  const pages: Record<string, { stats: StatsRow[]; next_cursor: string | null; behind?: number }> = {
    "": { stats: [row("a")], next_cursor: "a" },
    a: { stats: [row("b")], next_cursor: "b", behind: 7 },
    b: { stats: [row(null)], next_cursor: null },
  };
  const { rows, behind } = await allRows(async (cursor) => pages[cursor ?? ""] ?? { stats: [], next_cursor: null });
  expect(rows.map(({ key }) => key)).toEqual(["a", "b", null]);
  expect(behind).toBe(7);
});

test("rather than a total of a part there is none", async () => {
  const page = async () => ({ stats: [row("a"), row("b")], next_cursor: "b" });
  await expect(allRows(page, 5)).rejects.toThrow("there are more than 5 groups");
});

test("the names of columns stand once in a table of several pages", () => {
  expect(withoutHead("agent,calls\r\na,1\r\n", false) + withoutHead("agent,calls\r\nb,2\r\n", true)).toBe(
    "agent,calls\r\na,1\r\nb,2\r\n",
  );
});
