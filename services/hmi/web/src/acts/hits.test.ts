import { expect, test } from "vitest";
import { service } from "../testing/known";
import { hits, orphans, toType } from "./hits";

const under = (name: string, parent?: string, service_id = name) => service({ name, service_id, labels: { parent: parent ?? null } });
const names = (of: { name: string }[]) => of.map(({ name }) => name);

test("a subtree is its root and all below it, also where parents stand in a circle", () => {
  const all = [under("a"), under("b", "a"), under("c", "b"), under("x"), under("y", "x"), under("x", "y", "x2")];
  expect(names(hits(all, { subtree: "a" }, "pause"))).toEqual(["a", "b", "c"]);
  expect(names(hits(all, { subtree: "y" }, "pause"))).toEqual(["x", "y", "x"]);
});

test("only those are hit that it changes, and all never means PAS's own parts", () => {
  const all = [
    service({ name: "a", paused: true }),
    service({ name: "b" }),
    service({ name: "registry", type: "service" }),
  ];
  expect(names(hits(all, { all: true }, "pause"))).toEqual(["b"]);
  expect(names(hits(all, { all: true }, "resume"))).toEqual(["a"]);
  expect(names(hits(all, { service_id: "a", name: "a" }, "pause"))).toEqual([]);
});

test("a chain of 20,000 is gone down to its end", () => {
  const all = Array.from({ length: 20_000 }, (_, n) => under(`n${n}`, `n${n - 1}`)).reverse();
  expect(hits(all, { subtree: "n0" }, "pause").length).toBe(20_000);
});

test("those who name somebody as their parent lose it, unless another has the same name", () => {
  const gone = under("a", undefined, "1");
  const all = [gone, under("b", "a"), under("c", "b"), under("d", "a")];
  expect(names(orphans(all, gone))).toEqual(["b", "d"]);
  expect(orphans([...all, under("a", undefined, "2")], gone)).toEqual([]);
});

test("a name is typed as it is seen; one that isn't what it looks like is known by its id", () => {
  const typed = (name: string) => toType(service({ name, service_id: "svc-0123456789" }));
  expect(typed("Architect of 世界")).toBe("Architect of 世界");
  for (const name of ["Archi\u200btect", "\u202etcetihcrA", "a ", "a  b", "a\u00a0b", "x".repeat(81)]) {
    expect(typed(name)).toBe("456789");
  }
});
