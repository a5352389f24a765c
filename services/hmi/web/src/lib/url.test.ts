import { beforeEach, expect, test, vi } from "vitest";

// A browser's window, as far as it is needed: a history and where it stands.
const browser = vi.hoisted(() => {
  const places = [new URL("http://h/")];
  const state = { at: 0, pop: () => {}, scrolled: 0 };
  const set = (url: URL | string) => new URL(url, places[state.at]?.href);
  const globals = {
    location: {
      get href() {
        return places[state.at]?.href;
      },
      get pathname() {
        return places[state.at]?.pathname;
      },
      get search() {
        return places[state.at]?.search;
      },
    },
    history: {
      pushState: (_: unknown, __: string, url: URL) => {
        places.splice(state.at + 1, places.length, set(url));
        state.at += 1;
      },
      replaceState: (_: unknown, __: string, url: URL) => {
        places[state.at] = set(url);
      },
      back: () => {
        state.at -= 1;
        state.pop();
      },
    },
    scrollTo: () => {
      state.scrolled += 1;
    },
    addEventListener: (type: string, heard: () => void) => {
      if (type === "popstate") state.pop = heard;
    },
  };
  Object.assign(globalThis, globals);
  return { places, state, back: globals.history.back };
});

const { go, link, param, path, search, selected, setParams } = await import("./url");

beforeEach(() => go("/", { replace: true }));

test("what is selected is the segment behind the page, decoded", () => {
  for (const id of ["gw-2025-11-06", "name:a/b", "100 %", "ünï 🙂", "?q=1#x"]) {
    go(link("/receipts", id));
    expect(selected("/receipts")).toBe(id);
    expect(selected("/receipt")).toBe(undefined);
  }
  go("/receipts/");
  expect(selected("/receipts")).toBe(undefined);
  go("/receipts/%E0%A4%A");
  expect(selected("/receipts")).toBe("%E0%A4%A");
});

test("back leads to the place before, and a replaced one isn't come back to", () => {
  go("/services?type=model");
  go("/services/1?type=model");
  go("/services/2?type=model", { replace: true });
  browser.back();
  expect([path(), search()]).toEqual(["/services", "?type=model"]);
});

test("to go where one is leaves no place behind", () => {
  go("/costs");
  const before = browser.places.length;
  go("/costs");
  expect(browser.places.length).toBe(before);
});

test("another page is seen from its beginning, and the same page stays where it is", () => {
  go("/services");
  const before = browser.state.scrolled;
  go("/services/1?q=a");
  setParams({ q: "b" }, { replace: false });
  go("/services");
  expect(browser.state.scrolled).toBe(before);
  go("/costs", { replace: true });
  expect(browser.state.scrolled).toBe(before);
  go("/receipts/1");
  expect(browser.state.scrolled).toBe(before + 1);
});

test("parts of the query change alone, and what is empty goes", () => {
  go("/alerts/7?a=1&b=2");
  setParams({ b: "x&y=z", c: "3", a: undefined });
  expect([path(), param("a"), param("b"), param("c")]).toEqual(["/alerts/7", undefined, "x&y=z", "3"]);
  setParams({ b: "", c: undefined });
  expect(search()).toBe("");
});
