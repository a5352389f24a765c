import { expect, test } from "vitest";
import { sinceTime, toField } from "./since";

const NOW = Date.parse("2026-11-26T13:30:00.500Z");

test("a span goes along with the time, and today begins at midnight UTC", () => {
  expect(sinceTime("90m", NOW)).toBe("2026-11-26T12:00:00.500Z");
  expect(sinceTime("7d", NOW)).toBe("2026-11-19T13:30:00.500Z");
  expect(sinceTime("today", NOW)).toBe("2026-11-26T00:00:00.000Z");
});

test("a time stays what it is, nothing is all time, and what is no time is told apart", () => {
  expect(sinceTime("2026-11-01T00:00:00Z", NOW)).toBe("2026-11-01T00:00:00.000Z");
  expect([sinceTime(undefined, NOW), sinceTime("", NOW), sinceTime("soon", NOW)]).toEqual([undefined, undefined, null]);
});

test("a field for a time is filled with the time here", () => {
  const local = toField("2026-11-01T12:00:00Z", NOW);
  expect(new Date(local).toISOString()).toBe("2026-11-01T12:00:00.000Z");
});
