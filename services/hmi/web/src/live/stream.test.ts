import { expect, test } from "vitest";
import { asSeenFrom } from "./stream";

test("on one machine the event stream goes by the page's own name for it", () => {
  for (const host of ["localhost", "127.0.0.1"]) {
    for (const url of ["localhost", "127.0.0.1", "[::1]"])
      expect(asSeenFrom(host, `http://${url}:6102`)).toBe(`http://${host}:6102`);
  }
});

test("the event stream never goes by an address that a content policy can't name", () => {
  expect(asSeenFrom("[::1]", "http://[::1]:6102")).toBe("http://localhost:6102");
  expect(asSeenFrom("[::1]", "http://127.0.0.1:6102")).toBe("http://127.0.0.1:6102");
});

test("another machine keeps its name", () => {
  expect(asSeenFrom("localhost", "http://swarm.example:6102/")).toBe("http://swarm.example:6102");
  expect(asSeenFrom("swarm.example", "http://127.0.0.1:6102")).toBe("http://127.0.0.1:6102");
  expect(asSeenFrom("swarm.example", "https://events.example")).toBe("https://events.example");
});
