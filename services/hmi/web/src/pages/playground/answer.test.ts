import { expect, test } from "vitest";
import { type Answer, type Dialect, begun, take, takeWhole } from "./answer";

function read(dialect: Dialect, events: unknown[]): Answer {
  const answer = begun();
  for (const event of events)
    take(answer, dialect, { data: typeof event === "string" ? event : JSON.stringify(event) });
  return answer;
}

const chunk = (delta: unknown, finish_reason: string | null = null): unknown => ({
  choices: [{ index: 0, delta, finish_reason }],
});

test("a chat of OpenAI grows by its pieces, and is whole with [DONE]", () => {
  const pieces = [
    chunk({ role: "assistant", content: "" }),
    chunk({ content: "Hel" }),
    chunk({ content: "lo" }),
    chunk({}, "stop"),
  ];
  expect(read("openai.chat", pieces)).toEqual({ ...begun(), text: "Hello", stop: "stop", events: 4 });
  expect(read("openai.chat", [...pieces, { choices: [], usage: {} }, "[DONE]"])).toEqual({
    ...begun(),
    text: "Hello",
    stop: "stop",
    ended: true,
    events: 6,
  });
});

test("an error in the stream is told, and never a whole answer", () => {
  const answer = read("openai.chat", [chunk({ content: "Hel" }), { error: { message: "broke off" } }]);
  expect([answer.text, answer.error, answer.ended]).toEqual(["Hel", "broke off", false]);
  const other = read("anthropic.messages", [
    { type: "error", error: { type: "overloaded_error", message: "too much" } },
  ]);
  expect([other.error, other.ended]).toEqual(["too much", false]);
});

test("a message of Anthropic grows by its pieces, and is whole with message_stop", () => {
  const events = [
    { type: "message_start", message: { content: [] } },
    { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "hm" } },
    { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "Grüße" } },
    { type: "ping" },
    { type: "content_block_start", index: 2, content_block: { type: "tool_use", name: "look", input: {} } },
    { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: '{"a":' } },
    { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: "1}" } },
    { type: "message_delta", delta: { stop_reason: "tool_use" } },
  ];
  const grown = {
    ...begun(),
    text: "Grüße",
    thinking: "hm",
    tools: [{ name: "look", arguments: '{"a":1}' }],
    stop: "tool_use",
    events: 10,
  };
  expect(read("anthropic.messages", events)).toEqual(grown);
  expect(read("anthropic.messages", [...events, { type: "message_stop" }])).toEqual({
    ...grown,
    ended: true,
    events: 11,
  });
});

test("calls of tools come in pieces, several at once", () => {
  const call = (index: number, name: string | undefined, more: string): unknown => ({
    index,
    function: { name, arguments: more },
  });
  const answer = read("openai.chat", [
    chunk({ tool_calls: [call(0, "a", "{"), call(1, "b", "")] }),
    chunk({ tool_calls: [call(1, undefined, "{}"), call(0, undefined, "}")] }),
    chunk({ tool_calls: [call(1e9, "far", "")] }),
  ]);
  expect(answer.tools).toEqual([
    { name: "a", arguments: "{}" },
    { name: "b", arguments: "{}" },
  ]);
});

test("what is no JSON is counted, and nothing else is lost by it", () => {
  const answer = read("openai.chat", [chunk({ content: "a" }), "<html>", chunk({ content: "b" }), "[DONE]"]);
  expect([answer.text, answer.garbage, answer.ended]).toEqual(["ab", 1, true]);
});

test("an answer that came whole is whole, and one that is an error is not", () => {
  const whole = begun();
  takeWhole(whole, "openai.chat", { choices: [{ message: { content: "hi" }, finish_reason: "stop" }] });
  expect([whole.text, whole.stop, whole.ended]).toEqual(["hi", "stop", true]);
  const message = begun();
  takeWhole(message, "anthropic.messages", { content: [{ type: "text", text: "hi" }], stop_reason: "end_turn" });
  expect([message.text, message.stop, message.ended]).toEqual(["hi", "end_turn", true]);
  const error = begun();
  takeWhole(error, "openai.chat", { error: { message: "no" } });
  expect([error.error, error.ended]).toEqual(["no", false]);
});
