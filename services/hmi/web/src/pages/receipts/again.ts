// The same call once more, as far as its receipt knows it: as a dry run, and as a command. What isn't known is said.

import type { Receipt } from "../../api/types";
import { type Request, curl } from "../../lib/curl";

interface Invoke {
  target: Record<string, unknown>;
  payload: unknown;
  policy?: Record<string, unknown>;
  agent?: string;
  agent_run_id?: string;
}

export interface Again {
  body: Invoke;
  /** What it can't know of the call as it was. */
  unknown: string[];
}

const PLACEHOLDER = "…";

/** The dry run that asks for the same; nothing, where the receipt says too little. */
export function dryRun(receipt: Receipt): Again | undefined {
  const target = receipt.target_request;
  if (!target?.type) return undefined;
  const kept = keptPayload(receipt);
  const unknown: string[] = [];
  if (kept === undefined) {
    unknown.push(
      "what was sent is not on the receipt: the size of the request, and what it needs (tools, images), are not taken into account",
    );
  }
  if (receipt.policy) unknown.push("preferences and limits of the call beside its policy are not on the receipt");
  return {
    body: {
      target: { ...target },
      payload: kept ?? emptyPayload(receipt.dialect?.in ?? "pas"),
      policy: policyOf(receipt),
      agent: receipt.agent,
      agent_run_id: receipt.agent_run_id,
    },
    unknown,
  };
}

/** What makes the gateway see the dialect in which it was asked, with nothing in it. */
function emptyPayload(dialect: string): unknown {
  switch (dialect) {
    case "openai.chat":
      return { messages: [] };
    case "anthropic.messages":
      return { system: "", messages: [] };
    case "gemini.generate":
      return { contents: [] };
    case "openai.responses":
    case "openai.embeddings":
      return { input: "" };
    default:
      return { text: PLACEHOLDER };
  }
}

function keptPayload({ content }: Receipt): unknown {
  const text = content?.request?.cut ? undefined : content?.request?.text;
  if (text === undefined) return undefined;
  try {
    const payload = JSON.parse(text) as unknown;
    if (typeof payload !== "object" || payload === null || Array.isArray(payload)) return payload;
    // A dry run answers whole.
    const { stream: _, ...rest } = payload as Record<string, unknown>;
    return rest;
  } catch {
    return undefined;
  }
}

function policyOf({ policy, budget }: Receipt): Record<string, unknown> | undefined {
  const wish = { ...(policy ? { name: policy.name } : {}), ...(budget ? { budget } : {}) };
  return Object.keys(wish).length > 0 ? wish : undefined;
}

/** The call as a command for the gateway at `gateway`; undefined where too little is known. */
export function asCurl(receipt: Receipt, gateway: string): string | undefined {
  const request = receipt.route === "/invoke" ? invoked(receipt, gateway) : asked(receipt, gateway);
  return request && curl(request);
}

function invoked(receipt: Receipt, gateway: string): Request | undefined {
  const again = dryRun(receipt);
  if (!again) return undefined;
  const kept = receipt.content?.request;
  const whole = kept?.text !== undefined && !kept.cut;
  const body = { ...again.body, payload: whole ? safeJson(kept.text ?? "") : again.body.payload };
  return {
    url: `${gateway}/invoke`,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    remarks: remarks(receipt, whole, "the payload"),
  };
}

function asked(receipt: Receipt, gateway: string): Request | undefined {
  const model = receipt.target_request?.model;
  const path = pathOf(receipt.route, model);
  if (path === undefined || model === undefined) return undefined;
  const kept = receipt.content?.request;
  const whole = kept?.text !== undefined && !kept.cut;
  const payload = emptyPayload(receipt.dialect?.in ?? "") as Record<string, unknown>;
  const body = whole ? (kept.text ?? "") : JSON.stringify(filled(path, model, payload));
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (receipt.agent) headers["x-pas-agent"] = receipt.agent;
  if (receipt.agent_run_id) headers["x-pas-run"] = receipt.agent_run_id;
  if (receipt.policy) headers["x-pas-policy"] = receipt.policy.name;
  if (receipt.budget) headers["x-pas-budget"] = receipt.budget;
  return { url: `${gateway}${path}`, headers, body, remarks: remarks(receipt, whole, "the messages") };
}

/** The path of a route; Gemini's have the model in them. */
function pathOf(route: string, model: string | undefined): string | undefined {
  if (!route.startsWith("/")) return undefined;
  return route.replace("{model}", encodeURIComponent(model ?? ""));
}

function filled(path: string, model: string, payload: Record<string, unknown>): Record<string, unknown> {
  const message = [{ role: "user", content: PLACEHOLDER }];
  if ("contents" in payload) return { contents: [{ role: "user", parts: [{ text: PLACEHOLDER }] }] };
  if ("input" in payload) return { model, input: PLACEHOLDER };
  if (!path.endsWith("/messages")) return { model, messages: message };
  return { model, max_tokens: 1024, messages: message };
}

function remarks({ content, policy }: Receipt, whole: boolean, what: string): string[] {
  const unknown: string[] = [];
  if (!whole) {
    const bytes = content?.request?.bytes;
    const had = bytes === undefined ? "" : `, which had ${bytes} bytes`;
    unknown.push(`not on the receipt, so put yours in: ${what}${had}; also whether the answer was streamed`);
  }
  if (policy) unknown.push("the policy is the one that chose; the receipt does not say whether the caller named it");
  return unknown;
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

export interface Compared {
  service: string;
  model: string;
  then?: { score?: number; excluded?: string; chosen: boolean };
  now?: { score?: number; excluded?: string; chosen: boolean };
}

/** The candidates of then beside those of now: those of now first, in their order. */
export function compared(then: Receipt, now: Receipt): Compared[] {
  const rows = new Map<string, Compared>();
  const chosen = (receipt: Receipt, service_id: string | undefined, name: string, model: string): boolean => {
    const { resolved } = receipt;
    if (!resolved || resolved.name !== name || resolved.model !== model) return false;
    return resolved.service_id === undefined || service_id === undefined || resolved.service_id === service_id;
  };
  for (const [side, receipt] of [
    ["now", now],
    ["then", then],
  ] as const) {
    for (const { service_id, name, model, score, excluded } of receipt.candidates ?? []) {
      const key = JSON.stringify([service_id ?? name, model]);
      const row = rows.get(key) ?? { service: name, model };
      row[side] = { score, excluded, chosen: chosen(receipt, service_id, name, model) };
      rows.set(key, row);
    }
  }
  return [...rows.values()];
}
