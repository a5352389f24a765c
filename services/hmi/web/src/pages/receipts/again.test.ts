import { expect, test } from "vitest";
import type { Receipt } from "../../api/types";
import { asCurl, compared, dryRun } from "./again";

const receipt = (more: Partial<Receipt>): Receipt => ({
  run_id: "gw-1",
  route: "/invoke",
  timings_ms: { total: 1 },
  cost_estimate: { usd: 0, state: "confirmed" },
  status: "ok",
  ts: "2026-11-26T10:00:00.000Z",
  ...more,
});

test("a dry run asks for the same target, by the policy that chose, for the same agent", () => {
  const target_request = { type: "model", role: "production", require_caps: ["classify"] };
  const again = dryRun(
    receipt({ agent: "A", agent_run_id: "R", budget: "g", target_request, policy: { name: "local", version: "1" } }),
  );
  expect(again?.body).toEqual({
    target: target_request,
    payload: { text: "…" },
    policy: { name: "local", budget: "g" },
    agent: "A",
    agent_run_id: "R",
  });
  expect(again?.unknown).toHaveLength(2);
});

test("a dry run of a dialect's route is asked in that dialect", () => {
  const of = (dialect: string): unknown =>
    dryRun(receipt({ route: "/v1/x", dialect: { in: dialect }, target_request: { type: "model", model: "m" } }))?.body
      .payload;
  expect(["openai.chat", "anthropic.messages", "gemini.generate", "openai.responses"].map(of)).toEqual([
    { messages: [] },
    { system: "", messages: [] },
    { contents: [] },
    { input: "" },
  ]);
});

test("what was kept is sent again, without the wish for a stream, unless it is only a beginning", () => {
  const target_request = { type: "model", model: "m" };
  const text = '{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}';
  const kept = receipt({ target_request, content: { request: { bytes: 70, text } } });
  expect(dryRun(kept)?.body.payload).toEqual({ model: "m", messages: [{ role: "user", content: "hi" }] });
  const beginning = receipt({
    target_request,
    dialect: { in: "openai.chat" },
    content: { request: { bytes: 70, text: "{", cut: true } },
  });
  expect(dryRun(beginning)?.body.payload).toEqual({ messages: [] });
});

test("a call that could not be read has no dry run and no command", () => {
  expect([
    dryRun(receipt({})),
    asCurl(receipt({}), "http://g"),
    asCurl(receipt({ route: "/v1/messages" }), "http://g"),
  ]).toEqual([undefined, undefined, undefined]);
});

test("a command of a dialect's route says who calls in headers, and what is not known", () => {
  const command = asCurl(
    receipt({
      route: "/v1/chat/completions",
      dialect: { in: "openai.chat" },
      agent: "O'Hara",
      target_request: { type: "model", model: "auto" },
      policy: { name: "balanced" },
      content: { request: { bytes: 88 } },
    }),
    "http://127.0.0.1:6120",
  );
  expect(command).toBe(
    [
      "# not on the receipt, so put yours in: the messages, which had 88 bytes; also whether the answer was streamed",
      "# the policy is the one that chose; the receipt does not say whether the caller named it",
      "curl -sS 'http://127.0.0.1:6120/v1/chat/completions' \\",
      "  -H 'content-type: application/json' \\",
      "  -H 'x-pas-agent: O'\\''Hara' \\",
      "  -H 'x-pas-policy: balanced' \\",
      '  --data-raw \'{"model":"auto","messages":[{"role":"user","content":"…"}]}\'',
    ].join("\n"),
  );
});

test("a command of what was kept sends it byte for byte", () => {
  const text = '{ "model":"m", "messages":[] , "temperature": 1.0 }';
  const request = { bytes: text.length, text };
  const command = asCurl(
    receipt({ route: "/v1/chat/completions", target_request: { type: "model", model: "m" }, content: { request } }),
    "http://g",
  );
  expect(command).toContain(`--data-raw '${text}'`);
});

test("candidates of then and now stand side by side, and which of two of one name was chosen is told by its id", () => {
  const candidate = (service_id: string, score?: number, excluded?: string) => ({
    service_id,
    name: "s",
    model: "m",
    score,
    excluded,
  });
  const then = receipt({
    candidates: [candidate("1", 0.9), candidate("2", 0.5)],
    resolved: { service_id: "1", name: "s", model: "m" },
  });
  const now = receipt({
    candidates: [candidate("2", 0.6), candidate("3", undefined, "breaker")],
    resolved: { service_id: "2", name: "s", model: "m" },
  });
  expect(compared(then, now)).toEqual([
    {
      service: "s",
      model: "m",
      now: { score: 0.6, excluded: undefined, chosen: true },
      then: { score: 0.5, excluded: undefined, chosen: false },
    },
    { service: "s", model: "m", now: { score: undefined, excluded: "breaker", chosen: false } },
    { service: "s", model: "m", then: { score: 0.9, excluded: undefined, chosen: true } },
  ]);
});
