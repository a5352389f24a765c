import { describe, expect, test } from "vitest";
import { seeds } from "../testing/random";
import { ago, bytes, clock, count, duration, exactUsd, percent, short, usd } from "./format";

test("what isn't known is a dash", () => {
  for (const format of [usd, count, short, percent, duration]) {
    expect(format(undefined)).toBe("–");
    expect(format(null)).toBe("–");
  }
  expect(percent(Number.NaN)).toBe("–");
  expect(duration(Number.POSITIVE_INFINITY)).toBe("–");
  expect(clock("noon")).toBe("–");
});

test("dollars have as many digits as tell something", () => {
  const read = [0, 1203.5, 0.43, 0.1, 0.0995, 0.000012, 0.000000001, -0.002, -12].map(usd);
  expect(read).toEqual([
    "$0",
    "$1,203.50",
    "$0.43",
    "$0.10",
    "$0.0995",
    "$0.000012",
    "$0.000000001",
    "-$0.002",
    "-$12.00",
  ]);
  expect(exactUsd(1.234567891)).toBe("$1.234567891");
});

test("large numbers are cut to three digits, and never to a thousand of the smaller unit", () => {
  expect([0, 7, 999, 999.6, 1_000, 12_345, 999_499, 999_950, 1_500_000, 2e9, -12_345].map(short)).toEqual([
    "0",
    "7",
    "999",
    "1k",
    "1k",
    "12.3k",
    "999k",
    "1M",
    "1.5M",
    "2G",
    "-12.3k",
  ]);
  expect([1023, 1024, 1536, 5 * 1024 * 1024].map(bytes)).toEqual(["1023 B", "1 KiB", "1.5 KiB", "5 MiB"]);
});

test("what isn't all is never shown as all, nor what is there as nothing", () => {
  seeds(200, (random) => {
    const ratio = (1 + random.below(999_999_998)) / 1e9;
    expect(percent(ratio)).not.toBe("100 %");
    expect(percent(ratio)).not.toBe("0 %");
  });
  expect([0, 0.005, 0.5, 0.996, 0.99999, 1, 1.3].map(percent)).toEqual([
    "0 %",
    "0.5 %",
    "50 %",
    "99.6 %",
    "99.9 %",
    "100 %",
    "130 %",
  ]);
});

test("a length of time is told in its two largest units", () => {
  const lengths = [0.2, 3.4, 340, 999.4, 2_400, 12_345, 59_600, 192_000, 3_599_600, 7_500_000, 86_400_000, 273_600_000];
  expect(lengths.map(duration)).toEqual([
    "0.20 ms",
    "3.4 ms",
    "340 ms",
    "999 ms",
    "2.4 s",
    "12 s",
    "1 min",
    "3 min 12 s",
    "1 h",
    "2 h 5 min",
    "1 d",
    "3 d 4 h",
  ]);
});

describe("how long ago", () => {
  test("it is told in whole seconds", () => {
    expect([0, 999, 1_000, 1_999, 9_400, 59_999, 61_000].map(ago)).toEqual([
      "now",
      "now",
      "1 s ago",
      "1 s ago",
      "9 s ago",
      "59 s ago",
      "1 min 1 s ago",
    ]);
  });

  test("it never goes down while time goes on", () => {
    const seconds = (text: string) => (text === "now" ? 0 : Number(/^(\d+) s ago$/.exec(text)?.[1]));
    for (let ms = 0; ms < 59_900; ms += 100) expect(seconds(ago(ms + 100))).toBeGreaterThanOrEqual(seconds(ago(ms)));
  });
});

test("a time of another day is told with its day", () => {
  const now = new Date(2025, 10, 6, 12, 0, 0).getTime();
  expect(clock(new Date(2025, 10, 6, 9, 5, 7).getTime(), now)).toBe("09:05:07");
  expect(clock(new Date(2025, 10, 5, 9, 5, 7).getTime(), now)).toBe("5 Nov 09:05:07");
});
