// A real browser for the acceptance scripts: it opens a page, and answers one line for each line on its standard input.
//
//   go PATH                       opens a path
//   see MS SELECTOR               waits until it is visible, at most so long
//   gone MS SELECTOR              waits until it isn't
//   click SELECTOR
//   fill SELECTOR <tab> TEXT
//   choose SELECTOR <tab> VALUE
//   check SELECTOR                ticks a box
//   heard TEXT                    waits until the page has said it, or `tone`
//
// Selectors are Playwright's. An answer is `ok`, or `failed: …`.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const web = new URL("../../services/hmi/web/package.json", import.meta.url);
const { chromium } = createRequire(web)("playwright-core");
const [url] = process.argv.slice(2);

const browser = await chromium.launch({
  executablePath: process.env.PAS_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--autoplay-policy=no-user-gesture-required"],
});
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
// The machine may have no loudspeaker: what the page plays and says is noted.
await page.addInitScript(() => {
  window.heard = [];
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (when) {
    window.heard.push("tone");
    start.call(this, when);
  };
  speechSynthesis.speak = (utterance) => window.heard.push(utterance.text);
});

const within = 10_000;
const visible = (selector) => page.locator(selector).first();

async function act(line) {
  const [verb, rest] = cut(line, " ");
  const [selector, text] = cut(rest, "\t");
  const [ms, what] = cut(rest, " ");
  switch (verb) {
    case "go":
      return page.goto(new URL(rest, url).href);
    case "see":
      return visible(what).waitFor({ timeout: Number(ms) });
    case "gone":
      return visible(what).waitFor({ timeout: Number(ms), state: "hidden" });
    case "click":
      return visible(rest).click({ timeout: within });
    case "fill":
      return visible(selector).fill(text, { timeout: within });
    case "choose":
      return visible(selector).selectOption(text, { timeout: within });
    case "check":
      return visible(rest).check({ timeout: within });
    case "heard":
      return page.waitForFunction((text) => window.heard.includes(text), rest, { timeout: within });
    default:
      throw new Error(`${verb} is no verb`);
  }
}

function cut(text, by) {
  const at = text.indexOf(by);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + by.length)];
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await act(line).then(
    () => "ok",
    (error) => `failed: ${String(error.message).split("\n", 1)[0]}`,
  );
  process.stdout.write(`${answer}\n`);
}
await browser.close();
