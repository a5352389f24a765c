import { expect, test } from "vitest";
import { type SseEvent, SseReader } from "./sse";

const TEXT =
  'event: a\ndata: {"x":"Zürich 🙂"}\n\n: a comment\n\ndata: one\ndata:two\n\nevent: b\r\ndata: 3\r\n\r\ndata\n\n\rdata: [DONE]\r\r';
const EVENTS: SseEvent[] = [
  { event: "a", data: '{"x":"Zürich 🙂"}' },
  { event: undefined, data: "one\ntwo" },
  { event: "b", data: "3" },
  { event: undefined, data: "" },
  { event: undefined, data: "[DONE]" },
];

function readIn(pieces: Uint8Array[]): SseEvent[] {
  const reader = new SseReader();
  return [...pieces.flatMap((piece) => reader.take(piece)), ...reader.end().events];
}

test("events are the same wherever what comes is cut in two", () => {
  const bytes = new TextEncoder().encode(TEXT);
  for (let at = 0; at <= bytes.length; at += 1) {
    expect(readIn([bytes.slice(0, at), bytes.slice(at)]), `cut at ${at}`).toEqual(EVENTS);
  }
});

test("events are the same when they come byte by byte, and when nothing comes in between", () => {
  const bytes = new TextEncoder().encode(TEXT);
  const single = [...bytes].flatMap((byte) => [new Uint8Array([byte]), new Uint8Array()]);
  expect(readIn(single)).toEqual(EVENTS);
});

test("an event whose end never came is none, and is told to be left over", () => {
  const reader = new SseReader();
  expect(reader.take(new TextEncoder().encode('data: whole\n\ndata: {"hal'))).toEqual([
    { event: undefined, data: "whole" },
  ]);
  expect(reader.end()).toEqual({ events: [], leftover: true });
  const whole = new SseReader();
  whole.take(new TextEncoder().encode("data: 1\n\n"));
  expect(whole.end()).toEqual({ events: [], leftover: false });
});

test("a mark of the byte order at the beginning is no part of a name", () => {
  const reader = new SseReader();
  expect(reader.take(new TextEncoder().encode("\ufeffdata: 1\n\n"))).toEqual([{ event: undefined, data: "1" }]);
});
