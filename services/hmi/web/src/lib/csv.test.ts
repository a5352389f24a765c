import { expect, test } from "vitest";
import { field, row } from "./csv";

test("a field with a comma, a quote or a line break is quoted, and its quotes are doubled", () => {
  expect(["a,b", 'say "hi"', "two\nlines", "plain"].map(field)).toEqual([
    '"a,b"',
    '"say ""hi"""',
    '"two\nlines"',
    "plain",
  ]);
});

test("no text is a formula to a spreadsheet, whatever it begins with", () => {
  const hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x","y")'];
  expect(hostile.map(field)).toEqual([
    "'=1+1",
    "'+1",
    "'-1",
    "'@SUM(A1)",
    "'\t=1",
    '"\'\r=1"',
    '"\'=HYPERLINK(""http://x"",""y"")"',
  ]);
});

test("numbers stay numbers, in digits, and what is not known stays empty", () => {
  expect(row([-1, 0.000000012, 1234.5, null, undefined, 0])).toBe("-1,0.000000012,1234.5,,,0\r\n");
});
