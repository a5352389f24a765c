import { expect, test } from "vitest";
import { EXAMPLES, type Form, asCurl, dryRun, fromQuery, isWritten, problem, sending, toQuery } from "./form";

const form = (more: Partial<Form> = {}): Form => ({ ...fromQuery(() => undefined), ...more });
const body = (of: Form): unknown => JSON.parse(sending(of).body);

test("what is there at first is an example that needs no key, and can be sent as it is", () => {
  expect(problem(form())).toBeUndefined();
  expect(sending(form())).toEqual({
    path: "/invoke",
    headers: { "content-type": "application/json" },
    body: '{"target":{"type":"model","role":"production","require_caps":["classify"]},"payload":{"text":"quantum entanglement physics"},"policy":{"prefer":"local","timeout_s":30}}',
    stream: false,
  });
  expect(EXAMPLES.map(({ body }) => problem(form({ raw: body })))).toEqual(EXAMPLES.map(() => undefined));
});

test("a form stands in the URL as far as it is short, and comes back from it", () => {
  const filled = form({
    how: "chat",
    by: "model",
    model: "auto",
    text: "hi & bye",
    agent: "A",
    stream: "no",
    raw: "x".repeat(501),
  });
  const query = toQuery(filled);
  expect(Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined))).toEqual({
    how: "chat",
    by: "model",
    text: "hi & bye",
    agent: "A",
    stream: "no",
  });
  expect(fromQuery((name) => query[name])).toEqual({ ...filled, raw: form().raw });
});

test("a form is that of its own URL, what is too long for it too, and not of another's", () => {
  const filled = form({ how: "chat", text: "x".repeat(501), agent: "A" });
  const query = toQuery(filled);
  expect(isWritten(filled, (name) => query[name])).toBe(true);
  expect(isWritten(filled, () => undefined)).toBe(false);
  expect(isWritten(form(), () => undefined)).toBe(true);
});

test("nothing of a URL that isn't of the form gets into it", () => {
  const found = fromQuery((name) => ({ how: "evil", by: "x", type: "service" })[name]);
  expect([found.how, found.by, found.type]).toEqual(["raw", "cap", "model"]);
});

test("a call in PAS's words says whom it is for and what it wishes", () => {
  const filled = form({
    how: "invoke",
    caps: "classify, infer",
    role: "production",
    policy: "private",
    prefer: "local",
    timeout: "30",
    agent: " A ",
  });
  expect(body(filled)).toEqual({
    target: { type: "model", role: "production", require_caps: ["classify", "infer"] },
    payload: { text: "quantum entanglement physics" },
    policy: { name: "private", prefer: "local", timeout_s: 30 },
    agent: "A",
  });
  expect(body(form({ how: "invoke", type: "agent", by: "name", name: "Critic", timeout: "" }))).toEqual({
    target: { type: "agent", name: "Critic" },
    payload: { text: "quantum entanglement physics" },
  });
});

test("a chat is asked in its dialect, with its wishes in headers", () => {
  const chat = sending(
    form({
      how: "chat",
      caps: "chat tools",
      system: "be brief",
      text: "hi",
      policy: "local",
      agent: "A",
      timeout: "1.5",
    }),
  );
  expect([chat.path, chat.stream, chat.dialect]).toEqual(["/v1/chat/completions", true, "openai.chat"]);
  expect(chat.headers).toEqual({
    "content-type": "application/json",
    "x-pas-agent": "A",
    "x-pas-policy": "local",
    "x-pas-deadline-ms": "1500",
  });
  expect(JSON.parse(chat.body)).toEqual({
    model: "cap:chat,tools",
    messages: [
      { role: "system", content: "be brief" },
      { role: "user", content: "hi" },
    ],
    stream: true,
  });
  const messages = sending(form({ how: "messages", by: "name", name: "s", text: "hi", stream: "no" }));
  expect(messages.headers["anthropic-version"]).toBe("2023-06-01");
  expect(JSON.parse(messages.body)).toEqual({
    model: "s",
    max_tokens: 1024,
    messages: [{ role: "user", content: "hi" }],
  });
});

test("a dry run of a chat asks for the same, in the same dialect, and for no stream", () => {
  const dry = dryRun(form({ how: "messages", by: "model", model: "m", text: "hi", policy: "local", timeout: "" }));
  expect([dry.path, JSON.parse(dry.body)]).toEqual([
    "/invoke?dry_run=true",
    {
      target: { type: "model", model: "m" },
      payload: { system: "", max_tokens: 1024, messages: [{ role: "user", content: "hi" }] },
      policy: { name: "local" },
    },
  ]);
  expect(dryRun(form()).body).toBe(sending(form()).body);
});

test("what can't be sent is told before it is", () => {
  expect(problem(form({ raw: "{" }))).toMatch(/^Not JSON/);
  expect(problem(form({ raw: "[]" }))).toBe("The body must be an object.");
  expect(problem(form({ how: "chat", caps: " , " }))).toBe("Name a capability, as classify.");
  expect(problem(form({ how: "invoke", type: "tool", by: "model" }))).toBe(
    "A tool has no model: choose it by capability or name.",
  );
  expect(problem(form({ how: "chat", timeout: "soon" }))).toBe("The time limit is a number of seconds, above 0.");
});

test("a command sends what the form sends, to the gateway itself", () => {
  const command = asCurl(
    sending(form({ how: "chat", by: "model", text: "it's", timeout: "" })),
    "http://127.0.0.1:6120",
  );
  expect(command).toBe(
    "curl -sSN 'http://127.0.0.1:6120/v1/chat/completions' \\\n  -H 'content-type: application/json' \\\n" +
      '  --data-raw \'{"model":"auto","messages":[{"role":"user","content":"it\'\\\'\'s"}],"stream":true}\'',
  );
});
