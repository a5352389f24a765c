import { createRoot, createSignal } from "solid-js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { gently, loaded } from "./loaded";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Loads that end when they are told to. */
function slow() {
  const asked: { key: string; signal: AbortSignal; end: (answer: string) => void }[] = [];
  const load = (key: string, signal: AbortSignal) =>
    new Promise<string>((end) => {
      asked.push({ key, signal, end });
    });
  return { asked, load };
}

const settled = () => vi.advanceTimersByTimeAsync(0);

test("a load that takes longer than the rhythm ends, and is done once more for all that asked meanwhile", async () => {
  const { asked, load } = slow();
  const { it, dispose } = createRoot((dispose) => ({ it: loaded(() => "a", load), dispose }));
  await settled();
  it.look();
  it.look();
  expect(asked.map(({ signal }) => signal.aborted)).toEqual([false]);
  asked[0]?.end("first");
  await settled();
  expect([it.data(), asked.length]).toEqual(["first", 2]);
  asked[1]?.end("second");
  await settled();
  expect([it.data(), asked.length, it.loading()]).toEqual(["second", 2, false]);
  dispose();
});

test("a load of what isn't asked about any more is broken off, and its answer is not shown", async () => {
  const { asked, load } = slow();
  const { it, setKey, dispose } = createRoot((dispose) => {
    const [key, setKey] = createSignal<string | undefined>("a");
    return { it: loaded(key, load), setKey, dispose };
  });
  await settled();
  setKey("b");
  await settled();
  asked[0]?.end("of a");
  await settled();
  expect([asked.map(({ key, signal }) => [key, signal.aborted]), it.data()]).toEqual([
    [
      ["a", true],
      ["b", false],
    ],
    undefined,
  ]);
  setKey(undefined);
  await settled();
  expect([it.loading(), asked[1]?.signal.aborted]).toEqual([false, true]);
  dispose();
});

test("many events are one look", async () => {
  let looks = 0;
  const { look, dispose } = createRoot((dispose) => ({ look: gently(() => (looks += 1)), dispose }));
  for (let event = 0; event < 200; event += 1) look();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(looks).toBe(1);
  look();
  dispose();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(looks).toBe(1);
});
