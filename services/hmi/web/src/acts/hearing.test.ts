import { createEffect, createRoot } from "solid-js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SwarmEvent } from "../api/types";
import { hearing } from "./hearing";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function stream() {
  const listeners = new Set<(event: SwarmEvent) => void>();
  const onEvent = (listening: (event: SwarmEvent) => void) => {
    listeners.add(listening);
    return () => void listeners.delete(listening);
  };
  const tell = (event_type: string, service_id: string) => {
    for (const listening of listeners) listening({ event_type, service_id } as SwarmEvent);
  };
  return { listeners, onEvent, tell };
}

test("thousands that acknowledge at once are drawn once, and one that is late is heard too", async () => {
  const { onEvent, tell, listeners } = stream();
  const { heard, stop } = hearing("paused", onEvent);
  let drawn = 0;
  const dispose = createRoot((dispose) => {
    createEffect(() => {
      heard();
      drawn += 1;
    });
    return dispose;
  });
  await vi.advanceTimersByTimeAsync(100);
  drawn = 0;
  for (let id = 0; id < 5_000; id += 1) tell("paused", `s${id}`);
  tell("resumed", "another");
  await vi.advanceTimersByTimeAsync(100);
  expect([heard().size, heard().has("another"), drawn]).toEqual([5_000, false, 1]);
  await vi.advanceTimersByTimeAsync(120_000);
  tell("paused", "late");
  await vi.advanceTimersByTimeAsync(100);
  expect([heard().has("late"), drawn]).toEqual([true, 2]);
  stop();
  expect(listeners.size).toBe(0);
  dispose();
});
