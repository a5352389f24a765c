import { expect, test } from "vitest";
import { locality } from "./locality";

test("where it runs is what its label says, else what its address says", () => {
  const of = (url: string | null, label?: string) =>
    locality({ url, labels: label === undefined ? {} : { locality: label } });
  expect([of("http://127.0.0.1:1"), of("http://127.9.9.9"), of("http://localhost"), of("http://[::1]:1")]).toEqual(
    Array(4).fill("local"),
  );
  expect([of("https://api.example"), of("http://127.0.0.1.example"), of("http://localhost.example")]).toEqual(
    Array(3).fill("external"),
  );
  expect([of("http://127.0.0.1", "external"), of("https://api.example", "local")]).toEqual(["external", "local"]);
  expect([of(null), of("nonsense"), of(null, "mars")]).toEqual([undefined, undefined, undefined]);
});
