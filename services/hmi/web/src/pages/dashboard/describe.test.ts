import { expect, test, vi } from "vitest";
import type { StatusUpdateEvent } from "../../api/types";
import { update } from "../../testing/known";
import { describe } from "./describe";

// It reads where the page is.
vi.mock("../../lib/url", () => ({ link: (page: string, id: string) => `${page}/${id}` }));

test("an agent names its events as it likes, and each has a mark", () => {
  const state = (event: string) => describe(update("a", 1, { event: event as StatusUpdateEvent["event"] })).state;
  expect(["completed", "failed", "started"].map(state)).toEqual(["done", "error", "running"]);
  expect(["constructor", "__proto__", "toString", "progress"].map(state)).toEqual(["info", "info", "info", "info"]);
});
