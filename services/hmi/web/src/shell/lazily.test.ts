import { type Component, catchError, createRoot } from "solid-js";
import { afterEach, expect, test, vi } from "vitest";
import { NotFetched, lazily } from "./lazily";

afterEach(() => void vi.restoreAllMocks());

test("a part that could not be fetched is fetched when it is shown again, and one that was is not", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const failures: unknown[] = [];
  let away = true;
  let asked = 0;
  const Page = lazily(() => {
    asked += 1;
    const Shown: Component = () => "the page";
    return away ? Promise.reject(new TypeError("no such file")) : Promise.resolve({ default: Shown });
  });
  const show = (): Promise<unknown> =>
    createRoot(async () => {
      let shown: unknown;
      catchError(
        () => (shown = Page({})),
        (error) => failures.push(error),
      );
      await new Promise((done) => setTimeout(done));
      return typeof shown === "function" ? (shown as () => unknown)() : shown;
    });
  await show();
  expect(failures[0]).toBeInstanceOf(NotFetched);
  const before = failures.length;
  away = false;
  expect(await show()).toBe("the page");
  expect(await show()).toBe("the page");
  expect([failures.length, asked]).toEqual([before, 2]);
});
