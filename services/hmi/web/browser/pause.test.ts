// Pause all, and resume: calls really stop at the gateway, and everyone's acknowledgement is shown.

import { afterAll, beforeAll, expect, test } from "vitest";
import { Screen } from "./screen";
import { Swarm, until } from "./swarm";

let swarm: Swarm;
let screen: Screen;
const CALL = { target: { type: "model", require_caps: ["classify"] }, payload: { text: "quantum entanglement physics" }, agent: "Caller" };

beforeAll(async () => {
  swarm = await Swarm.start();
  await swarm.register({ name: "Caller" });
  await swarm.register({ name: "Helper", labels: { parent: "Caller" } });
  await until("a model answers", () => swarm.post("gateway", "/invoke", CALL));
  screen = await Screen.open(swarm.url("hmi"));
  await screen.page.getByText("live", { exact: true }).waitFor();
});

afterAll(async () => {
  await screen?.close();
  await swarm?.stop();
});

test("pause all stops the calls of agents at the gateway, and resume all lets them on", async () => {
  const { page } = screen;
  await page.getByRole("button", { name: "Pause all" }).click();
  const dialog = page.getByRole("dialog");
  expect(await dialog.innerText()).toMatch(/It hits 3: .*Caller, Helper/);
  expect(await dialog.getByRole("button", { name: "Pause", exact: true }).isDisabled()).toBe(true);
  await dialog.getByLabel("Reason").fill("lunch");
  await dialog.getByRole("button", { name: "Pause", exact: true }).click();

  const acknowledged = page.getByRole("region", { name: "Who is paused" });
  await acknowledged.getByText("everyone: 3 of 3 paused").waitFor();
  expect(await acknowledged.getByRole("img", { name: "paused" }).count()).toBe(3);
  await until("a call is refused", async () => String(await swarm.post("gateway", "/invoke", CALL).catch(String)).includes('"code":"paused"'));
  await page.locator(".card").filter({ hasText: "Caller" }).getByText("paused").waitFor();

  await page.getByRole("button", { name: "Resume all" }).click();
  await page.getByRole("dialog").getByLabel("Reason").fill("lunch is over");
  await page.getByRole("dialog").getByRole("button", { name: "Resume", exact: true }).click();
  await page.getByRole("region", { name: "Who is resumed" }).getByText("everyone: 3 of 3 resumed").waitFor();
  await until("a call is answered", () => swarm.post("gateway", "/invoke", CALL));
  await page.getByRole("button", { name: "Resume all" }).waitFor({ state: "detached" });
});

test("both left an event with the reason", async () => {
  const { events } = await swarm.get<{ events: { event_type: string; service_name: string; reason: string }[] }>(
    "event-stream",
    "/events?type=paused&type=resumed",
  );
  const said = events.filter((event) => event.service_name === "Caller").map(({ event_type, reason }) => [event_type, reason]);
  expect(said).toEqual([
    ["paused", "lunch"],
    ["resumed", "lunch is over"],
  ]);
});

test("nothing that the browser complains of has happened", () => {
  expect(screen.complaints).toEqual([]);
});
