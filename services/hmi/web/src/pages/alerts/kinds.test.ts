import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { KINDS, kindOf } from "./kinds";

const schema = JSON.parse(
  readFileSync(new URL("../../../../../../contracts/heartbeat_alert.schema.json", import.meta.url), "utf8"),
) as {
  $defs: { AlertType: { enum: string[] } };
};

test("every type of the contract is explained, and nothing else", () => {
  expect(Object.keys(KINDS).sort()).toEqual(schema.$defs.AlertType.enum.toSorted());
});

test("each is named and told in a line, with what to do", () => {
  const kinds = Object.values(KINDS);
  expect(new Set(kinds.map(({ title }) => title)).size).toBe(kinds.length);
  for (const { title, means, todo } of kinds) {
    expect(title.length).toBeLessThan(24);
    for (const text of [means, todo]) {
      expect(text.endsWith(".")).toBe(true);
      expect(text.length).toBeLessThan(160);
    }
  }
});

test("a type that is newer than the page is shown by its name", () => {
  expect(kindOf("disk_on_fire").title).toBe("disk on fire");
  expect(kindOf("constructor").title).toBe("constructor");
});
