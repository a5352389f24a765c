// What its user sets holds: how often gauges move, what is heard and when, and in which colours it is seen.

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Screen } from "./screen";
import { Swarm, until } from "./swarm";

let swarm: Swarm;
let screen: Screen;

beforeAll(async () => {
  swarm = await Swarm.start();
  screen = await Screen.open("about:blank");
  // A browser without a loudspeaker: what it is told to play and to say is noted.
  await screen.context.addInitScript(() => {
    const noted = { tones: 0, said: [] as string[] };
    Object.assign(window, { noted });
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (when) {
      noted.tones += 1;
      start.call(this, when);
    };
    speechSynthesis.speak = (utterance) => void noted.said.push(utterance.text);
  });
  await screen.page.goto(swarm.url("hmi"));
});

beforeEach(async () => {
  await screen.page.evaluate(() => localStorage.clear());
  await screen.page.reload();
  await screen.page.getByText("live", { exact: true }).waitFor();
});

afterAll(async () => {
  await screen?.close();
  await swarm?.stop();
});

const noted = () => screen.page.evaluate(() => (window as unknown as { noted: { tones: number; said: string[] } }).noted);

async function settle(change: () => Promise<unknown>): Promise<void> {
  await screen.page.getByRole("button", { name: "Settings" }).click();
  await change();
  await screen.page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
}

async function completes(agent: string): Promise<void> {
  await swarm.publish({ event_type: "status_update", agent, event: "completed", task_id: "T-1" });
  await screen.page.getByRole("list", { name: "Events" }).getByText(agent).waitFor();
}

test("gauges are looked at as often as was chosen, and the choice is kept", async () => {
  const look = () => screen.page.waitForRequest((request) => request.url().endsWith("/inflight"));
  /** How long it takes from one look to the next, in milliseconds. */
  const apart = async (looks: number) => {
    await look();
    const before = performance.now();
    for (let seen = 0; seen < looks; seen += 1) await look();
    return (performance.now() - before) / looks;
  };
  await screen.page.getByLabel("Update frequency").selectOption("1");
  const fast = await apart(4);
  await screen.page.getByLabel("Update frequency").selectOption("10");
  const slow = await apart(1);
  // One is ten times the other; a machine that is busy takes its time with both.
  expect(slow / fast).toBeGreaterThan(2);
  await screen.page.reload();
  expect(await screen.page.getByLabel("Update frequency").inputValue()).toBe("10");
});

test("nothing is heard until it is switched on", async () => {
  await completes("Quiet");
  expect(await noted()).toEqual({ tones: 0, said: [] });
});

test("sounds and narration tell of a task that is complete, and of an alert", async () => {
  await settle(async () => {
    await screen.page.getByLabel("Sounds").check();
    await screen.page.getByLabel("Narration").check();
  });
  await completes("Architect");
  await until("it is heard", async () => (await noted()).said.length > 0);
  expect(await noted()).toEqual({ tones: 2, said: ["Architect completed task"] });

  await swarm.register({ name: "Mayfly", heartbeat_interval_s: 1, ttl_s: 1 });
  await until("the alert is heard", async () => (await noted()).said.some((text) => text.includes("Mayfly, heartbeat miss")));
  expect((await noted()).tones).toBeGreaterThanOrEqual(6);
});

test("in quiet hours nothing is heard, and the text is shown all the same", async () => {
  await settle(async () => {
    await screen.page.getByLabel("Sounds").check();
    await screen.page.getByLabel("Narration").check();
    await screen.page.getByLabel("Quiet hours").fill("0-24");
  });
  await completes("Nightly");
  expect(await noted()).toEqual({ tones: 0, said: [] });
});

test("the theme is the system's, or the one that was chosen", async () => {
  const background = () => screen.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  await screen.page.emulateMedia({ colorScheme: "light" });
  const light = await background();
  await screen.page.emulateMedia({ colorScheme: "dark" });
  const dark = await background();
  expect(dark).not.toBe(light);
  await settle(() => screen.page.getByLabel("Theme").selectOption("light"));
  expect(await background()).toBe(light);
});

test("the keys lead where their sheet says", async () => {
  const { page } = screen;
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("a");
  await until("the alerts are shown", async () => new URL(page.url()).pathname === "/alerts");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Go to" }).fill("cost");
  await page.keyboard.press("Enter");
  await until("the costs are shown", async () => new URL(page.url()).pathname === "/costs");
  await page.goBack();
  expect(new URL(page.url()).pathname).toBe("/alerts");
});

test("nothing that the browser complains of has happened", () => {
  expect(screen.complaints).toEqual([]);
});
