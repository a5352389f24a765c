// What is to be sent, as the form has it, and the request that it makes.

import { type Request, curl } from "../../lib/curl";
import type { Dialect } from "./answer";

export type How = "invoke" | "chat" | "messages" | "raw";
export type By = "cap" | "model" | "name";

export interface Form {
  how: How;
  type: "model" | "tool" | "agent";
  by: By;
  caps: string;
  model: string;
  name: string;
  role: string;
  system: string;
  text: string;
  policy: string;
  prefer: string;
  timeout: string;
  agent: string;
  stream: string;
  raw: string;
}

export const EXAMPLES: { title: string; body: string }[] = [
  {
    title: "Classify a text, on this machine, without a key",
    body: '{"target":{"type":"model","role":"production","require_caps":["classify"]},"payload":{"text":"quantum entanglement physics"},"policy":{"prefer":"local","timeout_s":30}}',
  },
  {
    title: "Summarise a text, without a key",
    body: '{"target":{"type":"model","require_caps":["summarize"]},"payload":{"text":"The gateway is one door to every model. It writes a receipt for every call. A receipt says who answered, why that one, what else was tried, and what it cost. Receipts are chained, so that a change would show."},"policy":{"prefer":"local"}}',
  },
  {
    title: "Chat with whatever fits, if it is free",
    body: '{"target":{"type":"model","model":"auto"},"payload":{"messages":[{"role":"user","content":"Say hello."}]},"policy":{"max_cost_usd":0,"timeout_s":60}}',
  },
  {
    title: "Call a tool or an agent by its name",
    body: '{"target":{"type":"agent","name":"Architect"},"payload":{"task":"say what you are working on"},"policy":{"timeout_s":30}}',
  },
];

const DEFAULTS: Form = {
  how: "raw",
  type: "model",
  by: "cap",
  caps: "classify",
  model: "auto",
  name: "",
  role: "",
  system: "",
  text: "quantum entanglement physics",
  policy: "",
  prefer: "",
  timeout: "",
  agent: "",
  stream: "yes",
  raw: EXAMPLES[0]?.body ?? "",
};

const HOWS: How[] = ["raw", "invoke", "chat", "messages"];
const BYS: By[] = ["cap", "model", "name"];
const TYPES: Form["type"][] = ["model", "tool", "agent"];
/** What is longer than this is kept out of the URL. */
const SHORT = 500;

export function fromQuery(param: (name: string) => string | undefined): Form {
  const form: Form = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof Form)[]) {
    const value = param(name);
    if (value !== undefined) (form as Record<keyof Form, string>)[name] = value;
  }
  const known = <T extends string>(all: T[], value: T, or: T): T => (all.includes(value) ? value : or);
  return {
    ...form,
    how: known(HOWS, form.how, DEFAULTS.how),
    by: known(BYS, form.by, DEFAULTS.by),
    type: known(TYPES, form.type, DEFAULTS.type),
  };
}

/** What of it stands in the URL: what is short, and isn't empty, nor as it is at first. */
export function toQuery(form: Form): Record<string, string | undefined> {
  const query: Record<string, string | undefined> = {};
  for (const name of Object.keys(DEFAULTS) as (keyof Form)[]) {
    const value = form[name];
    query[name] = value === DEFAULTS[name] || value === "" || value.length > SHORT ? undefined : value;
  }
  return query;
}

/** Whether the query has what such a form writes there: then the form is its own. */
export function isWritten(form: Form, param: (name: string) => string | undefined): boolean {
  return JSON.stringify(toQuery(form)) === JSON.stringify(toQuery(fromQuery(param)));
}

export interface Sending {
  path: string;
  headers: Record<string, string>;
  body: string;
  /** In whose words the answer comes; none for PAS's own. */
  dialect?: Dialect;
  stream: boolean;
}

/** Why it can't be sent, if it can't. */
export function problem(form: Form): string | undefined {
  if (form.how === "raw") return jsonProblem(form.raw);
  if (form.by === "cap" && words(form.caps).length === 0) return "Name a capability, as classify.";
  if (form.by === "model" && form.model.trim() === "") return "Name a model, or a route as auto.";
  if (form.by === "name" && form.name.trim() === "") return "Name a service.";
  if (form.how === "invoke" && form.by === "model" && form.type !== "model")
    return `A ${form.type} has no model: choose it by capability or name.`;
  if (form.timeout.trim() !== "" && !(Number(form.timeout) > 0))
    return "The time limit is a number of seconds, above 0.";
  return undefined;
}

function jsonProblem(raw: string): string | undefined {
  try {
    const value = JSON.parse(raw) as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? undefined
      : "The body must be an object.";
  } catch (error) {
    return `Not JSON: ${(error as Error).message}`;
  }
}

/** The request of a form that has no problem. */
export function sending(form: Form): Sending {
  switch (form.how) {
    case "raw":
      return { path: "/invoke", headers: JSON_HEADERS, body: form.raw, stream: false };
    case "invoke":
      return { path: "/invoke", headers: JSON_HEADERS, body: JSON.stringify(invoke(form)), stream: false };
    case "chat": {
      const system = form.system.trim() === "" ? [] : [{ role: "system", content: form.system }];
      const body = { model: modelOf(form), messages: [...system, ...messages(form)], ...streamed(form) };
      return {
        path: "/v1/chat/completions",
        headers: wishes(form),
        body: JSON.stringify(body),
        dialect: "openai.chat",
        stream: form.stream === "yes",
      };
    }
    case "messages": {
      const system = form.system.trim() === "" ? {} : { system: form.system };
      const body = {
        model: modelOf(form),
        max_tokens: MAX_TOKENS,
        ...system,
        messages: messages(form),
        ...streamed(form),
      };
      const headers = { ...wishes(form), "anthropic-version": "2023-06-01" };
      return {
        path: "/v1/messages",
        headers,
        body: JSON.stringify(body),
        dialect: "anthropic.messages",
        stream: form.stream === "yes",
      };
    }
  }
}

/** The same as a dry run, which only `/invoke` has: a chat is asked there in its own dialect. */
export function dryRun(form: Form): Sending {
  const { how } = form;
  if (how === "raw" || how === "invoke") return { ...sending(form), path: "/invoke?dry_run=true" };
  const { stream: _, model, ...payload } = JSON.parse(sending(form).body) as Record<string, unknown>;
  // What stands beside the messages with Anthropic tells that it is Anthropic's.
  const asked = how === "messages" ? { system: "", ...payload } : payload;
  const body = {
    target: { type: "model", model },
    payload: asked,
    policy: policy({ ...form, prefer: "" }),
    ...agentOf(form),
  };
  return { path: "/invoke?dry_run=true", headers: JSON_HEADERS, body: JSON.stringify(body), stream: false };
}

/** It as a command for the gateway itself. */
export function asCurl(sent: Sending, gateway: string): string {
  const request: Request = { url: `${gateway}${sent.path}`, headers: sent.headers, body: sent.body };
  return curl(request, { stream: sent.stream });
}

const JSON_HEADERS = { "content-type": "application/json" };
const MAX_TOKENS = 1_024;

/** The body of `/invoke` that a form makes. */
export function invoke(form: Form): Record<string, unknown> {
  const { type, by } = form;
  const chosen =
    by === "cap"
      ? { require_caps: words(form.caps) }
      : by === "model"
        ? { model: form.model.trim() }
        : { name: form.name.trim() };
  const role = form.role === "" ? {} : { role: form.role };
  return { target: { type, ...role, ...chosen }, payload: { text: form.text }, policy: policy(form), ...agentOf(form) };
}

function policy({ policy, prefer, timeout }: Form): Record<string, unknown> | undefined {
  const wish = {
    ...(policy === "" ? {} : { name: policy }),
    ...(prefer === "" ? {} : { prefer }),
    ...(timeout.trim() === "" ? {} : { timeout_s: Number(timeout) }),
  };
  return Object.keys(wish).length > 0 ? wish : undefined;
}

function agentOf({ agent }: Form): { agent?: string } {
  return agent.trim() === "" ? {} : { agent: agent.trim() };
}

function wishes({ policy, timeout, agent }: Form): Record<string, string> {
  return {
    ...JSON_HEADERS,
    ...(agent.trim() === "" ? {} : { "x-pas-agent": agent.trim() }),
    ...(policy === "" ? {} : { "x-pas-policy": policy }),
    ...(timeout.trim() === "" ? {} : { "x-pas-deadline-ms": String(Math.max(1, Math.round(Number(timeout) * 1_000))) }),
  };
}

/** What stands as `model` in a provider's dialect. */
function modelOf({ by, caps, model, name }: Form): string {
  return by === "cap" ? `cap:${words(caps).join(",")}` : by === "model" ? model.trim() : name.trim();
}

const messages = ({ text }: Form) => [{ role: "user", content: text }];
const streamed = ({ stream }: Form) => (stream === "yes" ? { stream: true } : {});
const words = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== "");
