import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { learnTime, serverTime } from "./time";

const NOW = Date.parse("2025-11-06T10:30:00.000Z");
const http = (ms: number): string => new Date(ms).toUTCString();

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  learnTime(http(NOW), NOW, NOW);
});
afterEach(() => void vi.useRealTimers());

test("clocks that agree but for the seconds of the header are the same", () => {
  learnTime(http(NOW - 1_000), NOW, NOW + 40);
  expect(serverTime()).toBe(NOW);
});

test("a browser whose clock is wrong goes by the server's, and does not jump at each answer", () => {
  learnTime(http(NOW + 30_000), NOW, NOW + 40);
  const learnt = serverTime();
  expect(Math.abs(learnt - (NOW + 30_000))).toBeLessThan(1_000);
  learnTime(http(NOW + 31_000), NOW, NOW + 40);
  expect(serverTime()).toBe(learnt);
  learnTime(http(NOW), NOW, NOW + 40);
  expect(serverTime()).toBe(NOW);
});

test("an answer that took long, or tells no time, teaches nothing", () => {
  learnTime(http(NOW + 30_000), NOW - 5_000, NOW);
  learnTime(null, NOW, NOW);
  learnTime("yesterday", NOW, NOW);
  expect(serverTime()).toBe(NOW);
});
