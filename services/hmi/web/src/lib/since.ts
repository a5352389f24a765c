// From when on something is shown, as it stands in a URL: `1h` and its like go along with the time, a day or a time stays.

export interface Span {
  value: string;
  label: string;
}

const UNIT_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The time that is meant, as the gateway reads it; undefined for all time, null for what is none. */
export function sinceTime(value: string | undefined, now: number): string | undefined | null {
  if (value === undefined || value === "") return undefined;
  if (value === "today") return `${new Date(now).toISOString().slice(0, 10)}T00:00:00.000Z`;
  const span = /^(\d{1,4})([mhd])$/.exec(value);
  if (span) return new Date(now - Number(span[1]) * (UNIT_MS[span[2] ?? ""] ?? 0)).toISOString();
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}

/** A time as a field for date and time has it, here. */
export function toField(value: string | undefined, now: number): string {
  const at = sinceTime(value, now);
  if (!at) return "";
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
