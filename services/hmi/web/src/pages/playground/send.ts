// A request on its way, and what has come of it so far.

import { refused } from "../../api/client";
import { type Answer, begun, take, takeWhole } from "./answer";
import type { Sending } from "./form";
import { SseReader } from "./sse";

export interface Sent {
  /** Whether something more may come. */
  open: boolean;
  /** Since when, and until when, in milliseconds. */
  began: number;
  first?: number;
  over?: number;
  run_id?: string;
  served_by?: string;
  model?: string;
  status?: number;
  answer?: Answer;
  /** What `/invoke` answered, whole. */
  json?: string;
  /** Why there is no answer, or none that is whole. */
  failure?: string;
  /** Whether what came is only a part. */
  cut: boolean;
  /** Whether it was broken off here. */
  cancelled: boolean;
}

/** Sends it to the gateway; `changed` hears whenever there is more to see. */
export async function send(sending: Sending, signal: AbortSignal, changed: (sent: Sent) => void): Promise<void> {
  const sent: Sent = { open: true, began: performance.now(), cut: false, cancelled: false };
  // What is told stays as it was told: the answer grows on.
  const tell = (): void =>
    changed({
      ...sent,
      answer: sent.answer && { ...sent.answer, tools: sent.answer.tools.map((tool) => ({ ...tool })) },
    });
  tell();
  try {
    const { path, headers, body } = sending;
    const response = await fetch(`/api/gateway${path}`, { method: "POST", headers, body, signal });
    sent.status = response.status;
    sent.run_id = response.headers.get("x-pas-run-id") ?? undefined;
    sent.served_by = response.headers.get("x-pas-served-by") ?? undefined;
    sent.model = response.headers.get("x-pas-model") ?? undefined;
    tell();
    if (!response.ok) sent.failure = (await refused(response)).message;
    else await read(response, sending, sent, tell);
  } catch (error) {
    sent.cancelled = signal.aborted;
    sent.cut = sent.answer !== undefined;
    sent.failure = signal.aborted
      ? "you broke it off"
      : sent.status === undefined
        ? "the HMI can't be reached"
        : `the connection broke: ${(error as Error).message}`;
  }
  sent.open = false;
  sent.over = performance.now();
  tell();
}

async function read(response: Response, { dialect }: Sending, sent: Sent, tell: () => void): Promise<void> {
  if (dialect === undefined) {
    sent.json = await response.text();
    return;
  }
  const answer = begun();
  sent.answer = answer;
  if (!(response.headers.get("content-type") ?? "").startsWith("text/event-stream") || !response.body) {
    takeWhole(answer, dialect, await response.json());
    sent.failure = answer.error;
    return;
  }
  const events = new SseReader();
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    const found = done ? events.end() : { events: events.take(value), leftover: false };
    for (const event of found.events) take(answer, dialect, event);
    if (answer.text !== "" || answer.thinking !== "" || answer.tools.length > 0) sent.first ??= performance.now();
    if (done) {
      // An answer is whole only by its end mark: a stream that just ends was cut off.
      sent.cut = !answer.ended;
      const mark = dialect === "openai.chat" ? "[DONE]" : "message_stop";
      if (sent.cut)
        sent.failure =
          answer.error ??
          `the stream ended without its end mark, ${mark}${found.leftover ? ", in the middle of an event" : ""}`;
      return;
    }
    tell();
  }
}
