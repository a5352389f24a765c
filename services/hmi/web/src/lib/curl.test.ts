import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { curl, curlPost, quoted } from "./curl";

test("a shell reads back every text as it was", () => {
  const texts = ["plain", "it's", "'; touch /tmp/x; '", "$(id) `id` $HOME \\", "two\nlines", "世界 🙂", "", "-n", "!!"];
  for (const text of texts) {
    const read = execFileSync("sh", ["-c", `printf %s ${quoted(text)}`], { encoding: "utf8" });
    expect(read).toBe(text);
  }
});

test("a command holds headers and body, each as one word", () => {
  const command = curl({
    url: "http://127.0.0.1:6120/invoke",
    headers: { "x-pas-agent": "O'Hara" },
    body: '{"a":"it\'s"}',
  });
  expect(command).toBe(
    "curl -sS 'http://127.0.0.1:6120/invoke' \\\n  -H 'x-pas-agent: O'\\''Hara' \\\n  --data-raw '{\"a\":\"it'\\''s\"}'",
  );
});

test("neither a remark nor a header can begin a line of its own", () => {
  const command = curl({ url: "u", remarks: ["a\nrm -rf /"], headers: { "x-pas-agent": "a\r\nx-evil: 1" } });
  expect(command).toBe("# a rm -rf /\ncurl -sS 'u' \\\n  -H 'x-pas-agent: a x-evil: 1'");
});

test("an object is posted as JSON, whatever stands in it", () => {
  expect(curlPost("http://h/pause", { reason: "it's $HOME" })).toBe(
    "curl -sS 'http://h/pause' \\\n  -H 'content-type: application/json' \\\n  --data-raw '{\"reason\":\"it'\\''s $HOME\"}'",
  );
});
