// Tables for spreadsheets, as RFC 4180 has them.

/** What a spreadsheet would take for the beginning of a formula. */
const FORMULA = /^[=+\-@\t\r]/;

export type Field = string | number | null | undefined;

/** A field. A text that a spreadsheet would take for a formula is given to it as text; a number is a number. */
export function field(value: Field): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return plain(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function row(fields: Field[]): string {
  return `${fields.map(field).join(",")}\r\n`;
}

/** A number in digits, which small ones are not by themselves: 0.000000012, never 1.2e-8. */
function plain(value: number): string {
  const text = String(value);
  return /e-/.test(text) ? value.toFixed(9).replace(/0+$/, "").replace(/\.$/, "") : text;
}
