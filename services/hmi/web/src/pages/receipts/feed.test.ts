import { expect, test } from "vitest";
import { Feed } from "./feed";
import type { Row } from "./row";

const row = (at: number, id = `gw-${String(at).padStart(6, "0")}`): Row => ({ run_id: id, at, status: "ok" });
const times = (feed: Feed): number[] => feed.rows.map(({ at }) => at);

const told = (feed: Feed, row: Row): void => {
  feed.event(row);
  feed.show();
};

test("pages follow each other, and a call that two of them have is there once", () => {
  const feed = new Feed(100);
  feed.page([row(9), row(8)], "c");
  feed.page([row(8), row(7)], null);
  expect([times(feed), feed.next]).toEqual([[9, 8, 7], null]);
});

test("a call that an event and a page tell of is there once, whoever comes first", () => {
  const feed = new Feed(100);
  told(feed, row(10));
  expect(times(feed)).toEqual([]);
  feed.page([row(10), row(9)], null);
  told(feed, row(9));
  told(feed, row(11));
  expect(times(feed)).toEqual([11, 10, 9]);
});

test("a long call that ends late takes its place among those that came in with it", () => {
  const feed = new Feed(100);
  feed.page([row(9), row(5)], null);
  told(feed, row(7));
  expect(times(feed)).toEqual([9, 7, 5]);
});

test("a call older than all that is loaded waits for its page, and is not lost when that page was read before", () => {
  const feed = new Feed(100);
  feed.page([row(9), row(8)], "c");
  told(feed, row(3));
  expect(times(feed)).toEqual([9, 8]);
  feed.page([row(7), row(5)], "d");
  expect(times(feed)).toEqual([9, 8, 7, 5]);
  feed.page([row(4), row(2)], "e");
  expect(times(feed)).toEqual([9, 8, 7, 5, 4, 3, 2]);
});

test("nothing moves while it is held, and what came meanwhile is counted", () => {
  const feed = new Feed(100);
  feed.page([row(1)], null);
  feed.event(row(2));
  feed.event(row(2));
  feed.event(row(3));
  expect([times(feed), feed.fresh]).toEqual([[1], 2]);
  feed.show();
  expect([times(feed), feed.fresh]).toEqual([[3, 2, 1], 0]);
});

test("an empty page with more behind it hides no call that happens now", () => {
  const feed = new Feed(100);
  feed.page([], "c");
  told(feed, row(120));
  told(feed, row(90));
  expect(times(feed)).toEqual([120]);
  feed.page([], null);
  expect(times(feed)).toEqual([120, 90]);
});

test("it does not grow without end under events: beyond a bound it asks to be loaded anew", () => {
  const feed = new Feed(0);
  feed.page([], null);
  for (let at = 1; at <= 3_000; at += 1) feed.event(row(at));
  expect([feed.overflown, feed.fresh]).toEqual([true, 3_000]);
  feed.show();
  expect([feed.rows.length, feed.fresh]).toEqual([2_000, 1_000]);
});
