import { describe, expect, test } from "vitest";
import { grow } from "./forest";
import { layOut } from "./layout";
import { centred, fit, held, hit, pointAt, resized, seenAt, turned, zoomed } from "./view";

const size = { width: 800, height: 600 };
const layoutOf = (names: string[]) =>
  layOut(grow(names.map((name) => ({ key: name, name, kind: "agent" as const }))).root, new Set());

describe("the view", () => {
  test("all of a picture is seen when it fits", () => {
    const box = { left: -100, top: -2000, right: 5000, bottom: 3000 };
    const view = fit(box, size);
    const [a, b] = [seenAt(view, { x: -100, y: -2000 }), seenAt(view, { x: 5000, y: 3000 })];
    expect(a.x >= 0 && a.y >= 0 && b.x <= 800 && b.y <= 600).toBe(true);
  });

  test("what is under the pointer stays under it when it is zoomed", () => {
    const view = { x: 13, y: -7, zoom: 0.5 };
    const at = { x: 321, y: 123 };
    const before = pointAt(view, at);
    const after = pointAt(zoomed(view, at, 1.7), at);
    expect([after.x, after.y]).toEqual([expect.closeTo(before.x), expect.closeTo(before.y)]);
  });

  test("what is centred is in the middle, and large enough to read", () => {
    const view = centred({ x: 0, y: 0, zoom: 0.1 }, { x: 500, y: 900 }, size);
    expect([view.zoom, seenAt(view, { x: 500, y: 900 })]).toEqual([1.2, { x: 400, y: 300 }]);
  });

  test("who is chosen stays where it is seen when others come", () => {
    const [before, after] = [layoutOf(["b", "c"]), layoutOf(["a", "a1", "a2", "b", "c", "d"])];
    const view = { x: 100, y: 300, zoom: 1 };
    const there = (layout: typeof before, view: { x: number; y: number; zoom: number }) =>
      seenAt(view, layout.byKey.get("c") ?? { x: 0, y: 0 });
    expect(there(after, held(view, before, after, size, "c"))).toEqual(there(before, view));
  });

  test("when nobody is chosen, whoever is nearest to the middle and still there stays", () => {
    const [before, after] = [layoutOf(["a", "b", "c"]), layoutOf(["a", "c", "d"])];
    const b = before.byKey.get("b") ?? { x: 0, y: 0 };
    const view = centred({ x: 0, y: 0, zoom: 1 }, { x: b.x, y: b.y + 5 }, size);
    const c = (layout: typeof before, view: { x: number; y: number; zoom: number }) =>
      seenAt(view, layout.byKey.get("c") ?? { x: 0, y: 0 });
    expect(c(after, held(view, before, after, size))).toEqual(c(before, view));
  });

  test("when the room gets smaller, the middle stays the middle, and whoever is chosen stays in sight", () => {
    const view = { x: 0, y: 0, zoom: 1 };
    const small = { width: 400, height: 600 };
    expect(resized(view, size, small, { x: 400, y: 100 })).toEqual({ x: -200, y: 0, zoom: 1 });
    expect(resized(view, size, small, { x: 790, y: 100 })).toEqual({ x: -590, y: 200, zoom: 1 });
    expect(resized(view, size, small, { x: 900, y: 100 })).toEqual({ x: -200, y: 0, zoom: 1 });
  });

  test("who is pointed at is who is nearest", () => {
    const layout = layoutOf(["a", "b"]);
    const a = layout.byKey.get("a") ?? { x: 0, y: 0 };
    expect(hit(layout, { x: a.x + 9, y: a.y }, () => 8, 4)?.node.key).toBe("a");
    expect(hit(layout, { x: a.x + 90, y: a.y }, () => 8, 4)).toBeUndefined();
  });
});

describe("a turned wheel", () => {
  const none = { deltaX: 0, deltaY: 0, deltaMode: 0, ctrlKey: false, shiftKey: false };
  test("zooms, in pixels or in lines", () => {
    expect(turned({ ...none, deltaY: -100, wheelDeltaY: 120 })).toEqual({ factor: expect.closeTo(1.17, 1) });
    expect(turned({ ...none, deltaY: 3, deltaMode: 1 })).toEqual({ factor: expect.closeTo(0.85, 1) });
  });
  test("moves when two fingers do it", () => {
    expect(turned({ ...none, deltaX: 4, deltaY: 7, wheelDeltaY: -21 })).toEqual({ dx: -4, dy: -7 });
    expect(turned({ ...none, deltaY: 7, wheelDeltaY: -21 })).toEqual({ dx: -0, dy: -7 });
  });
  test("moves sideways with shift, and zooms with a pinch", () => {
    expect(turned({ ...none, deltaY: 100, shiftKey: true, wheelDeltaY: -120 })).toEqual({ dx: -100, dy: 0 });
    expect(turned({ ...none, deltaY: -10, ctrlKey: true })).toEqual({ factor: expect.closeTo(1.105, 2) });
  });
});
