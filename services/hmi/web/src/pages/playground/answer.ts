// An answer that grows, in the words of OpenAI or Anthropic. It is whole only if its end mark has come.

import type { SseEvent } from "./sse";

export type Dialect = "openai.chat" | "anthropic.messages";

export interface Answer {
  text: string;
  thinking: string;
  /** Calls of tools, with their arguments as JSON text. */
  tools: { name: string; arguments: string }[];
  /** Why it stopped, in the provider's word. */
  stop?: string;
  /** What went wrong, said in the stream. */
  error?: string;
  /** Whether `[DONE]` or `message_stop` has come. */
  ended: boolean;
  /** Events that could not be read. */
  garbage: number;
  events: number;
}

export const begun = (): Answer => ({ text: "", thinking: "", tools: [], ended: false, garbage: 0, events: 0 });

/** What is not shown of an answer without end. */
const MOST = 400_000;

/** Takes an event into the answer. */
export function take(answer: Answer, dialect: Dialect, { data }: SseEvent): void {
  answer.events += 1;
  if (dialect === "openai.chat" && data.trim() === "[DONE]") {
    answer.ended = true;
    return;
  }
  const value = parsed(data);
  if (value === undefined) {
    answer.garbage += 1;
    return;
  }
  if (dialect === "openai.chat") openai(answer, value);
  else anthropic(answer, value);
}

/** An answer that came whole, as one JSON value. */
export function takeWhole(answer: Answer, dialect: Dialect, body: unknown): void {
  const value = object(body);
  answer.error = errorOf(value);
  if (answer.error !== undefined) return;
  if (dialect === "openai.chat") {
    const choice = object(list(value.choices)[0]);
    openaiDelta(answer, object(choice.message));
    answer.stop = text(choice.finish_reason);
    answer.ended = "choices" in value;
    return;
  }
  for (const block of list(value.content).map(object)) anthropicBlock(answer, block);
  answer.stop = text(value.stop_reason);
  answer.ended = "content" in value;
}

function openai(answer: Answer, value: Fields): void {
  answer.error ??= errorOf(value);
  for (const choice of list(value.choices).map(object)) {
    openaiDelta(answer, object(choice.delta));
    answer.stop = text(choice.finish_reason) ?? answer.stop;
  }
}

function openaiDelta(answer: Answer, delta: Fields): void {
  append(answer, "text", text(delta.content) ?? text(delta.refusal));
  append(answer, "thinking", text(delta.reasoning_content) ?? text(delta.reasoning));
  list(delta.tool_calls).forEach((it, place) => {
    const call = object(it);
    const { name, arguments: more } = object(call.function);
    tool(answer, typeof call.index === "number" ? call.index : place, text(name), text(more));
  });
}

function anthropic(answer: Answer, value: Fields): void {
  switch (value.type) {
    case "content_block_start":
      anthropicBlock(answer, object(value.content_block));
      break;
    case "content_block_delta": {
      const delta = object(value.delta);
      append(answer, "text", text(delta.text));
      append(answer, "thinking", text(delta.thinking));
      if (typeof delta.partial_json === "string")
        tool(answer, Math.max(0, answer.tools.length - 1), undefined, delta.partial_json);
      break;
    }
    case "message_delta":
      answer.stop = text(object(value.delta).stop_reason) ?? answer.stop;
      break;
    case "message_stop":
      answer.ended = true;
      break;
    case "error":
      answer.error ??= errorOf(value) ?? "an error without a message";
      break;
  }
}

function anthropicBlock(answer: Answer, block: Fields): void {
  if (block.type === "tool_use") {
    const input = Object.keys(object(block.input)).length > 0 ? JSON.stringify(block.input) : undefined;
    tool(answer, answer.tools.length, text(block.name), input);
    return;
  }
  append(answer, "text", text(block.text));
  append(answer, "thinking", text(block.thinking));
}

/** An index that a provider makes up takes no room. */
const TOOLS = 128;

function tool(answer: Answer, index: number, name: string | undefined, more: string | undefined): void {
  if (!Number.isInteger(index) || index < 0 || index >= TOOLS) return;
  while (answer.tools.length <= index) answer.tools.push({ name: "", arguments: "" });
  const call = answer.tools[index];
  if (!call) return;
  if (name !== undefined && name !== "") call.name = name;
  if (more !== undefined && call.arguments.length < MOST) call.arguments += more;
}

function append(answer: Answer, to: "text" | "thinking", more: string | undefined): void {
  if (more !== undefined && answer[to].length < MOST) answer[to] += more;
}

type Fields = Record<string, unknown>;

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const object = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};

function errorOf(value: Fields): string | undefined {
  if (value.error === undefined || value.error === null) return undefined;
  return text(value.error) ?? text(object(value.error).message) ?? JSON.stringify(value.error).slice(0, 500);
}

function parsed(data: string): Fields | undefined {
  try {
    return object(JSON.parse(data));
  } catch {
    return undefined;
  }
}
