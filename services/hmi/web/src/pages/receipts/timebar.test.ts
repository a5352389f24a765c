import { expect, test } from "vitest";
import type { Attempt } from "../../api/types";
import { place, timeBar } from "./timebar";

const attempt = (total: number, connect?: number, first_byte?: number): Attempt => ({
  name: "s",
  model: "m",
  outcome: "ok",
  timings_ms: { connect, first_byte, total },
});

test("parts lie one behind the other, each as long as it took", () => {
  const bar = timeBar({
    timings_ms: { discovery: 1, queue: 4, total: 120 },
    attempts: [attempt(30, 5), attempt(80, 2, 50)],
  });
  expect(bar.gateway.parts).toEqual([
    { kind: "discovery", from: 0, to: 1 },
    { kind: "queue", from: 1, to: 5 },
    { kind: "rest", from: 115, to: 120 },
  ]);
  expect(bar.attempts.map(({ parts }) => parts)).toEqual([
    [
      { kind: "connect", from: 5, to: 10 },
      { kind: "attempt", from: 10, to: 35 },
    ],
    [
      { kind: "connect", from: 35, to: 37 },
      { kind: "waiting", from: 37, to: 85 },
      { kind: "answering", from: 85, to: 115 },
    ],
  ]);
});

test("no part reaches beyond the end, though parts sum up to more than was measured for all", () => {
  const bar = timeBar({ timings_ms: { total: 10 }, attempts: [attempt(8), attempt(7)] });
  expect(bar.total).toBe(15);
  expect(bar.attempts.flatMap(({ parts }) => parts).map(({ to }) => to)).toEqual([8, 15]);
});

test("a first byte that is said to come after the end, or before the connection, bends nothing", () => {
  const bar = timeBar({ timings_ms: { total: 10 }, attempts: [attempt(10, 6, 3), attempt(0)] });
  expect(bar.attempts.map(({ parts }) => parts)).toEqual([
    [
      { kind: "connect", from: 0, to: 3 },
      { kind: "answering", from: 3, to: 10 },
    ],
    [],
  ]);
});

test("a call that was refused at once has a bar too", () => {
  const bar = timeBar({ timings_ms: { total: 0 } });
  expect(bar).toEqual({ total: 0, gateway: { parts: [] }, attempts: [] });
  expect(place({ kind: "rest", from: 0, to: 0 }, 0)).toEqual({ left: "0%", width: "0%" });
});
