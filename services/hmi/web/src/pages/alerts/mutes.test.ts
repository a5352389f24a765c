import { expect, test } from "vitest";
import { NOW, alert, ts } from "../../testing/known";
import { LENGTHS, LONGEST_S, given, isEmpty, mutedUntil, seconds, silences } from "./mutes";

test("a length is read in days, hours and minutes, up to a week", () => {
  expect(["90m", "2h 30m", "2h30", "3d", "7 d", "1d 1h 1min", "8 H"].map(seconds)).toEqual([
    5_400,
    9_000,
    undefined,
    259_200,
    LONGEST_S,
    90_060,
    28_800,
  ]);
  for (const text of ["", "0m", "8d", "7d 1m", "-1h", "1w", "90", "soon", "1.5h"])
    expect(seconds(text), text).toBe(undefined);
  for (const [s, name] of LENGTHS) expect(seconds(name)).toBe(s);
});

test("nothing is muted by a match that names nothing", () => {
  expect(given({ service: "", type: "hop_limit", severity: undefined })).toEqual({ type: "hop_limit" });
  expect([isEmpty({}), isEmpty({ service: "" }), isEmpty({ severity: "info" })]).toEqual([true, true, false]);
  expect(silences({}, alert("1"))).toBe(false);
});

test("a mute silences what fits all that it names", () => {
  const it = alert("1", { service_id: "01a2", service_name: "ollama", alert_type: "hop_limit", severity: "warning" });
  expect(silences({ service: "ollama", type: "hop_limit" }, it)).toBe(true);
  expect(silences({ service: "01a2" }, it)).toBe(true);
  expect(silences({ service: "ollama", severity: "critical" }, it)).toBe(false);
});

test("an alert is muted until the time that the monitor noted, and not after", () => {
  const it = alert("1", { details: { muted_until: ts(1_000) } });
  expect([mutedUntil(it, NOW), mutedUntil(it, NOW + 1_000)]).toEqual([ts(1_000), undefined]);
  expect(mutedUntil(alert("1", { details: { muted_until: 5 } }), NOW)).toBe(undefined);
});
