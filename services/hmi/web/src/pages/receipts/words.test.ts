import { expect, test } from "vitest";
import type { Receipt } from "../../api/types";
import { ending, wanted } from "./words";

const receipt = (more: Partial<Receipt>): Receipt => ({
  run_id: "gw-1",
  route: "/invoke",
  timings_ms: { total: 500 },
  cost_estimate: { usd: 0, state: "confirmed" },
  status: "ok",
  ts: "2026-11-26T10:00:00.000Z",
  ...more,
});

test("what was asked for reads as a phrase, whatever is named", () => {
  const of = (target_request: Receipt["target_request"]): string => wanted(receipt({ target_request }));
  expect([
    of({ type: "model", role: "production", require_caps: ["classify", "infer"] }),
    of({ type: "model", model: "auto" }),
    of({ type: "agent", name: "Critic" }),
    of({ type: "tool", labels: { zone: "a" } }),
    of({ type: "model" }),
    of(undefined),
  ]).toEqual([
    "a model of role production that can classify, infer",
    "the model “auto”",
    "an agent named Critic",
    "a tool labelled zone=a",
    "a model",
    "something that could not be read",
  ]);
});

test("how it ended is said with who answered, how long it took and how often it was tried", () => {
  const resolved = { name: "s", model: "m" };
  const attempts = [1, 2].map(() => ({ name: "s", model: "m", outcome: "ok", timings_ms: { total: 1 } }));
  expect([
    ending(receipt({ resolved, attempts })),
    ending(receipt({ resolved, status: "cut" })),
    ending(receipt({ status: "refused" })),
    ending(receipt({ status: "lost" })),
    ending(receipt({ status: "error", resolved, attempts })),
    ending(receipt({ status: "cancelled", resolved })),
  ]).toEqual([
    "s (m) answered in 500 ms after 2 attempts.",
    "The answer of s (m) broke off after 500 ms.",
    "It was refused after 500 ms.",
    "How it ended is not known.",
    "It failed after 500 ms, s (m) last after 2 attempts.",
    "It was cancelled after 500 ms, while s (m) was asked.",
  ]);
});
