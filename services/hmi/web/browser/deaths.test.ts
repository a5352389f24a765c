// Each service is killed while the page is open: what it owns says so, the rest lives, and all heals without a reload.

import { afterAll, beforeAll, expect, test } from "vitest";
import { Screen } from "./screen";
import { type Part, Swarm, until } from "./swarm";

let swarm: Swarm;
let screen: Screen;
let beating: NodeJS.Timeout;

beforeAll(async () => {
  swarm = await Swarm.start();
  const { service_id } = await swarm.register({ name: "Survivor" });
  let progress = 0;
  beating = setInterval(() => {
    progress = (progress + 0.01) % 1;
    swarm.beat(service_id, { activity: "running", progress }).catch(() => undefined);
  }, 200);
  screen = await Screen.open(swarm.url("hmi"));
  await screen.page.evaluate(() => localStorage.setItem("pas.prefs", JSON.stringify({ every_s: 1 })));
  await screen.page.reload();
  await screen.page.locator(".card", { hasText: "Survivor" }).getByText("running").waitFor();
  // A page that is loaded anew would not have it any more.
  await screen.page.evaluate(() => Object.assign(window, { mark: "the same page" }));
});

afterAll(async () => {
  clearInterval(beating);
  await screen?.close();
  await swarm?.stop();
});

/** The progress that the card shows: it changes as long as beats are seen. */
async function moves(): Promise<boolean> {
  const shown = () => screen.page.locator(".card", { hasText: "Survivor" }).getByText(/^\d+ %$/).innerText();
  const before = await shown();
  await until("the card moves", async () => (await shown()) !== before);
  return true;
}

const DEATHS: { part: Part; told: RegExp; lives: boolean }[] = [
  { part: "heartbeat-monitor", told: /heartbeat-monitor/, lives: true },
  { part: "gateway", told: /gateway/, lives: true },
  { part: "provider-router", told: /provider-router/, lives: true },
  { part: "event-stream", told: /event stream|event-stream/, lives: false },
  { part: "registry", told: /registry/, lives: false },
];

test.each(DEATHS)("the death of the $part is told, the rest lives, and it heals by itself", async ({ part, told, lives }) => {
  const { page } = screen;
  await swarm.kill(part);
  const row = page.getByRole("region", { name: "PAS itself" }).getByRole("listitem").filter({ hasText: part });
  await row.getByText("unreachable").waitFor({ timeout: 10_000 });
  await page.getByRole("region", { name: "Needs a look" }).getByText("can't be reached").first().waitFor();
  expect(await page.getByRole("region", { name: "Needs a look" }).innerText()).toMatch(told);
  if (lives) expect(await moves()).toBe(true);
  expect(await page.locator(".card", { hasText: "Survivor" }).isVisible()).toBe(true);

  await swarm.restart(part);
  await row.getByText("unreachable").waitFor({ state: "detached", timeout: 15_000 });
  await page.getByText("live", { exact: true }).waitFor({ timeout: 15_000 });
  expect(await moves()).toBe(true);
  expect(await page.evaluate(() => (window as unknown as { mark?: string }).mark)).toBe("the same page");
});

test("the death of the hmi is told by the page that is open, and it heals by itself", async () => {
  const { page } = screen;
  await swarm.kill("hmi");
  await page.getByText("the HMI can't be reached").first().waitFor({ timeout: 10_000 });
  expect(await moves(), "events still come from the event stream").toBe(true);
  await swarm.restart("hmi");
  await page.getByText("live", { exact: true }).waitFor({ timeout: 15_000 });
  await until("nothing says that it is away", async () => (await page.getByText("the HMI can't be reached").count()) === 0);
  expect(await page.evaluate(() => (window as unknown as { mark?: string }).mark)).toBe("the same page");
});

test("an event stream that stands still is told, and what happened meanwhile is shown when it goes on", async () => {
  const { page } = screen;
  swarm.signal("event-stream", "SIGSTOP");
  const row = page.getByRole("region", { name: "PAS itself" }).getByRole("listitem").filter({ hasText: "event-stream" });
  await row.getByText("unreachable").waitFor({ timeout: 15_000 });
  swarm.signal("event-stream", "SIGCONT");
  await row.getByText("unreachable").waitFor({ state: "detached", timeout: 15_000 });
  expect(await moves()).toBe(true);
});

test("nothing that the browser complains of has happened", () => {
  expect(screen.complaints).toEqual([]);
});
