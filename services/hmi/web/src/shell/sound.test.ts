import { expect, test, vi } from "vitest";
import type { AlertEvent, StatusUpdateEvent, SwarmEvent } from "../api/types";

// The preferences put the theme on the document as they are read.
vi.stubGlobal("document", { documentElement: { dataset: {} } });
const { heard } = await import("./sound");

const base = { seq: 1, ts: "2025-11-06T10:30:00.000Z" };
const update = (event: string, more: Partial<StatusUpdateEvent> = {}): SwarmEvent => ({
  ...base,
  event_type: "status_update",
  agent: "Architect",
  event,
  ...more,
});
const alert = (severity: AlertEvent["severity"], service_name = "ollama"): SwarmEvent => ({
  ...base,
  event_type: "alert",
  alert_id: "1",
  alert_type: "heartbeat_miss",
  severity,
  service_name,
  missed_beats: 2,
  last_seen: null,
  action: "marked_down",
  acked: false,
});

test("a completed task is told as the first users wish to hear it", () => {
  expect(heard(update("completed", { task_id: "T-1" }))).toEqual({
    sound: "complete",
    text: "Architect completed task",
  });
  expect(heard(update("completed"))).toEqual({ sound: "complete", text: "Architect completed its work" });
});

test("what fails or alarms is heard, and what is for the record isn't", () => {
  expect(heard(update("failed"))).toEqual({ sound: "alert", text: "Architect failed" });
  expect(heard(alert("critical"))).toEqual({ sound: "alert", text: "critical: ollama, heartbeat miss" });
  expect(heard(alert("warning"))?.sound).toBe("alert");
  expect(heard(alert("info"))).toBe(undefined);
  expect(heard(update("progress"))).toBe(undefined);
  expect(heard({ ...base, event_type: "log", message: "failed" })).toBe(undefined);
});

test("nobody's name is read out for minutes", () => {
  expect(heard(update("failed", { agent: "a".repeat(100_000) }))?.text?.length).toBeLessThan(100);
  expect(heard(alert("critical", "b".repeat(100_000)))?.text?.length).toBeLessThan(120);
});
