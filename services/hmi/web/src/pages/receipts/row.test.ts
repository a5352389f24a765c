import { expect, test } from "vitest";
import type { Receipt, ReceiptEvent } from "../../api/types";
import { type Row, admits, compare, ofEvent, ofReceipt } from "./row";

const receipt: Receipt = {
  run_id: "gw-1",
  agent: "Architect",
  agent_run_id: "R-1",
  budget: "global/a",
  route: "/invoke",
  attempts: [{ name: "s", model: "m", outcome: "ok", timings_ms: { total: 12.5 } }],
  resolved: { name: "s", model: "m" },
  timings_ms: { total: 12.9 },
  cost_estimate: { usd: 0.5, state: "confirmed" },
  status: "error",
  error: { code: "timeout", message: "late" },
  ts: "2026-11-26T10:00:00.100Z",
};

const event: ReceiptEvent = {
  seq: 1,
  ts: "2026-11-26T10:00:00.112Z",
  event_type: "receipt",
  call_id: "gw-1",
  agent: "Architect",
  run_id: "R-1",
  budget: "global/a",
  route: "/invoke",
  attempts: 1,
  service: "s",
  model: "m",
  timings_ms: { total: 12.9 },
  cost: { usd: 0.5, state: "confirmed" },
  status: "error",
  error: "timeout",
};

test("a call is the same row by its receipt and by its event", () => {
  expect(ofEvent(event)).toEqual(ofReceipt(receipt));
  expect(ofEvent(event)).toEqual(ofReceipt({ ...receipt, resolved: undefined }));
});

test("a filter admits what the gateway would, a budget with all below it", () => {
  const row = ofReceipt(receipt);
  expect(admits({}, row)).toBe(true);
  expect(admits({ agent: "Architect", agent_run_id: "R-1", service: "s", model: "m", status: "error" }, row)).toBe(
    true,
  );
  expect(["global", "global/a", "global/a/b", "glo"].map((budget) => admits({ budget }, row))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(admits({ model: "other" }, row)).toBe(false);
  expect(admits({ agent: "Architect" }, { ...row, agent: undefined })).toBe(false);
  expect(["2026-11-26T10:00:00.100Z", "2026-11-26T10:00:00.101Z"].map((since) => admits({ since }, row))).toEqual([
    true,
    false,
  ]);
});

test("the latest call comes first, and of one millisecond that with the later id", () => {
  const row = (at: number, run_id: string): Row => ({ at, run_id, status: "ok" });
  const rows = [row(1, "b"), row(2, "a"), row(1, "c")];
  expect(rows.sort(compare).map(({ run_id }) => run_id)).toEqual(["a", "c", "b"]);
});
