import { expect, test } from "vitest";
import { seeds } from "../testing/random";
import { Ring } from "./ring";

test("a ring holds the newest, the newest first", () => {
  seeds(50, (random) => {
    const limit = 1 + random.below(20);
    const ring = new Ring<number>(limit);
    let all: number[] = [];
    for (let step = 0; step < 200; step += 1) {
      if (random.chance(0.01)) {
        ring.clear();
        all = [];
      } else {
        ring.push(step);
        all.push(step);
      }
      const wanted = random.below(limit * 2);
      expect(ring.newest(wanted)).toEqual(wanted === 0 ? [] : all.slice(-Math.min(wanted, limit)).reverse());
    }
  });
});
