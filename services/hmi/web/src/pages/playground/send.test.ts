import { afterEach, expect, test, vi } from "vitest";
import type { Sending } from "./form";
import { type Sent, send } from "./send";

const CHAT: Sending = { path: "/v1/chat/completions", headers: {}, body: "{}", dialect: "openai.chat", stream: true };
const piece = (content: string): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;

function answers(pieces: (string | Error)[], init: ResponseInit = {}): void {
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = pieces.shift();
      if (next === undefined) controller.close();
      else if (next instanceof Error) controller.error(next);
      else controller.enqueue(new TextEncoder().encode(next));
    },
  });
  const headers = {
    "content-type": "text/event-stream; charset=utf-8",
    "x-pas-run-id": "gw-1",
    "x-pas-served-by": "s",
    "x-pas-model": "m",
  };
  vi.stubGlobal("fetch", async () => new Response(body, { headers, ...init }));
}

async function outcome(sending = CHAT, signal = new AbortController().signal): Promise<Sent> {
  let last: Sent | undefined;
  await send(sending, signal, (sent) => (last = sent));
  if (!last) throw new Error("nothing was told");
  return last;
}

afterEach(() => vi.unstubAllGlobals());

test("a stream with its end mark is whole, and names its call", async () => {
  answers([piece("Hel"), piece("lo"), "data: [DONE]\n\n"]);
  const { answer, cut, failure, open, run_id, served_by, model } = await outcome();
  expect([answer?.text, cut, failure, open, run_id, served_by, model]).toEqual([
    "Hello",
    false,
    undefined,
    false,
    "gw-1",
    "s",
    "m",
  ]);
});

test("what is told while it comes does not change any more", async () => {
  answers([piece("Hel"), piece("lo"), "data: [DONE]\n\n"]);
  const told: Sent[] = [];
  await send(CHAT, new AbortController().signal, (sent) => told.push(sent));
  expect([...new Set(told.map(({ answer }) => answer?.text))]).toEqual([undefined, "Hel", "Hello"]);
});

test("a stream that ends without its end mark is cut, however cleanly it ends", async () => {
  answers([piece("Hel")]);
  const { answer, cut, failure } = await outcome();
  expect([answer?.text, cut, failure]).toEqual(["Hel", true, "the stream ended without its end mark, [DONE]"]);
});

test("an error in the stream is why it is cut", async () => {
  answers([piece("Hel"), 'data: {"error":{"message":"s broke off"}}\n\n']);
  const { cut, failure } = await outcome();
  expect([cut, failure]).toEqual([true, "s broke off"]);
});

test("a connection that breaks leaves a part, which is called that", async () => {
  answers([piece("Hel"), new Error("reset")]);
  const { answer, cut, cancelled, failure } = await outcome();
  expect([answer?.text, cut, cancelled, failure]).toEqual(["Hel", true, false, "the connection broke: reset"]);
});

test("what was broken off here is said to be", async () => {
  const abort = new AbortController();
  answers([piece("Hel"), new Error("aborted")]);
  abort.abort();
  const { cut, cancelled, failure } = await outcome(CHAT, abort.signal);
  expect([cut, cancelled, failure]).toEqual([true, true, "you broke it off"]);
});

test("a refusal is told in the gateway's words, with its call", async () => {
  vi.stubGlobal("fetch", async () =>
    Response.json(
      { error: { message: "nobody fits", code: "no_candidate" } },
      { status: 404, headers: { "x-pas-run-id": "gw-2" } },
    ),
  );
  const { failure, status, run_id, cut } = await outcome();
  expect([failure, status, run_id, cut]).toEqual(["nobody fits", 404, "gw-2", false]);
});

test("an answer of /invoke is kept as it came", async () => {
  vi.stubGlobal("fetch", async () => new Response('{"output":{"text":"x"}}'));
  const { json, failure } = await outcome({ path: "/invoke", headers: {}, body: "{}", stream: false });
  expect([json, failure]).toEqual(['{"output":{"text":"x"}}', undefined]);
});
