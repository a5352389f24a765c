// Random histories for tests, the same for the same seed.

export interface Random {
  /** From 0 to below `n`. */
  below(n: number): number;
  pick<T>(of: readonly T[]): T;
  chance(of: number): boolean;
}

export function random(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    below: (n) => Math.floor(next() * n),
    pick: (of) => of[Math.floor(next() * of.length)] as (typeof of)[number],
    chance: (of) => next() < of,
  };
}

/** Runs a test with many seeds; what fails names its own. */
export function seeds(count: number, test: (random: Random, seed: number) => void): void {
  for (let seed = 1; seed <= count; seed += 1) {
    try {
      test(random(seed), seed);
    } catch (error) {
      (error as Error).message = `seed ${seed}: ${(error as Error).message}`;
      throw error;
    }
  }
}
