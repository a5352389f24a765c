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
  const { service_id } = await swarm.register({ name: "Quiet" });
  await page.locator(".card", { hasText: "Quiet" }).waitFor();
  swarm.signal("event-stream", "SIGSTOP");
  await page.getByText("the event stream does not answer").waitFor({ timeout: 15_000 });
  expect(await page.locator(".stat", { hasText: "Calls a second" }).locator(".value").innerText()).toBe("–");
  await swarm.beat(service_id, { activity: "error", progress: 0.77 });
  swarm.signal("event-stream", "SIGCONT");
  await page.getByText("live", { exact: true }).waitFor({ timeout: 15_000 });
  await page.locator(".card", { hasText: "Quiet" }).getByText("77 %").waitFor();
  expect(await moves()).toBe(true);
});

test("a registry that stands still is told, and who is there stays", async () => {
  const { page } = screen;
  swarm.signal("registry", "SIGSTOP");
  await page.getByText("the registry says nothing").first().waitFor({ timeout: 20_000 });
  expect(await page.locator(".card", { hasText: "Survivor" }).isVisible()).toBe(true);
  swarm.signal("registry", "SIGCONT");
  await page.getByText("live", { exact: true }).waitFor({ timeout: 15_000 });
});

test("a page whose files can't be loaded fails alone, and is there when the hmi is back", async () => {
  const { page } = screen;
  await swarm.kill("hmi");
  await page.getByRole("link", { name: "Playground" }).click();
  await page.getByText("This page").first().waitFor();
  await page.getByRole("link", { name: "Dashboard", exact: true }).click();
  await page.locator(".card", { hasText: "Survivor" }).waitFor();
  await swarm.restart("hmi");
  await page.getByText("live", { exact: true }).waitFor({ timeout: 15_000 });
  await page.getByRole("link", { name: "Playground" }).click();
  await page.getByRole("button", { name: "Send" }).waitFor();
});

test("nothing that the browser complains of has happened", () => {
  expect(screen.complaints).toEqual([]);
});
