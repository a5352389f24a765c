import { expect, test } from "vitest";
import { exported } from "./export";
import { recordsOf } from "./records";

const record = (id: number, more = ""): string =>
  `{"run_id":"gw-${id}","agent":"=cmd|' /C calc'!A0","route":"/invoke","timings_ms":{"total":1.50},"cost_estimate":{"usd":0.0,"state":"confirmed"},"status":"ok","notes":["a \\"quote\\", [a] {b} \\\\"]${more},"ts":"2026-11-26T10:00:00.000Z"}`;

test("records come out of a page byte for byte, whatever stands in their texts", () => {
  const records = [record(1), record(2, ',"labels":{"x":{"y":[{"z":1}]}}'), "{}"];
  expect(recordsOf(`{"receipts":[${records.join(",")}],"next_cursor":"17:]4"}`)).toEqual({
    records,
    next_cursor: "17:]4",
  });
  expect(recordsOf('{"receipts":[],"next_cursor":null}')).toEqual({ records: [], next_cursor: null });
});

test("all pages are followed, empty and short ones too, and what is written is what came", async () => {
  const pages: Record<string, string> = {
    "": `{"receipts":[${record(1)}],"next_cursor":"a"}`,
    a: '{"receipts":[],"next_cursor":"b"}',
    b: `{"receipts":[${record(2)}],"next_cursor":null}`,
  };
  const told: number[] = [];
  const done = await exported(
    "jsonl",
    async (cursor) => pages[cursor ?? ""] ?? "",
    (count) => told.push(count),
  );
  expect([await done.blob.text(), done.count, done.more, told]).toEqual([
    `${record(1)}\n${record(2)}\n`,
    2,
    false,
    [1, 1, 2],
  ]);
});

test("a file ends at its bound, and says that there are more", async () => {
  const limits: number[] = [];
  const load = async (_: string | undefined, limit: number): Promise<string> => {
    limits.push(limit);
    return `{"receipts":[${record(1)},${record(2)}],"next_cursor":"x"}`;
  };
  const done = await exported("jsonl", load, () => undefined, 4);
  expect([done.count, done.more, limits]).toEqual([4, true, [4, 2]]);
});

test("a table holds no formula of an agent", async () => {
  const done = await exported(
    "csv",
    async () => `{"receipts":[${record(1)}],"next_cursor":null}`,
    () => undefined,
  );
  const lines = (await done.blob.text()).split("\r\n");
  expect(lines[0]?.split(",").length).toBe(30);
  expect(lines[1]).toBe(
    "gw-1,2026-11-26T10:00:00.000Z,ok,'=cmd|' /C calc'!A0,,,/invoke,,,,,,,,0,1.5,,,,,,,,0,confirmed,,,,,",
  );
});
