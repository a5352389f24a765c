// Everything that comes from agents is hostile: it neither runs nor breaks the layout, on any page, at any width.

import { afterAll, beforeAll, expect, test } from "vitest";
import { Screen } from "./screen";
import { Swarm, until } from "./swarm";

const RUNS = "window.pwned = true";
const NAMES = [
  `<script>${RUNS}</script>`,
  `<img src=x onerror="${RUNS}">`,
  `javascript:${RUNS}//`,
  `"><svg onload=${RUNS}>`,
  "{{constructor.constructor('window.pwned=true')()}}",
  "\u202egnp.exe\u202c \u2066reversed\u2069 مرحبا שלום",
  "👩‍👩‍👧‍👦🏳️‍🌈 z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!",
  "w".repeat(256),
  "../../etc/passwd",
  "=cmd|' /C calc'!A0",
];
const LONG = `${"<b>".repeat(1_000)}${"\u202e"}${"long".repeat(15_000)}`;
const PAGES = ["/", "/tree", "/costs", "/alerts", "/receipts", "/services", "/playground"];

let swarm: Swarm;
let screen: Screen;
let ids: string[];

beforeAll(async () => {
  swarm = await Swarm.start();
  const scripted = await swarm.scripted("--model", "talkative");
  await swarm.register({
    name: `scripted ${NAMES[1]}`,
    type: "model",
    role: "production",
    url: scripted,
    caps: ["infer", "chat", "<img/src=x/onerror=window.pwned=true>"],
    labels: { dialects: "openai.chat", models: "talkative", note: LONG.slice(0, 4_000) },
  });
  const registered = await Promise.all(
    NAMES.map((name, index) => swarm.register({ name, labels: { parent: NAMES[(index * 7) % NAMES.length] ?? null, note: `<i>${RUNS}` } })),
  );
  ids = registered.map(({ service_id }) => service_id);
  await Promise.all(ids.map((id) => swarm.beat(id, { activity: "error", status: "degraded", reason: LONG.slice(0, 1_000), current_call: NAMES[0] })));
  await swarm.publish(
    NAMES.flatMap((agent) => [
      { event_type: "status_update", agent, event: "failed", message: LONG.slice(0, 4_000) },
      { event_type: "log", agent, level: "error", message: LONG.slice(0, 60_000) },
    ]),
  );
  await swarm.publish({
    event_type: "alert",
    alert_id: "019ac0de-0000-7000-8000-000000000001",
    alert_type: "context_breach",
    severity: "critical",
    service_name: NAMES[0],
    missed_beats: 0,
    last_seen: null,
    action: "none",
    acked: false,
    message: LONG.slice(0, 1_000),
    details: { [NAMES[1] ?? ""]: NAMES[0] },
  });
  const script = { text: LONG, times: null };
  await fetch(`${swarm.url("scripted")}/__script`, { method: "POST", body: JSON.stringify(script) });
  for (const agent of NAMES.filter((name) => /^[\x20-\x7e]+$/.test(name))) {
    const chat = { model: "talkative", messages: [{ role: "user", content: LONG }] };
    await swarm.post("gateway", "/v1/chat/completions", chat, { "x-pas-agent": agent });
  }
  screen = await Screen.open(swarm.url("hmi"));
  await screen.page.getByText("live", { exact: true }).waitFor();
});

afterAll(async () => {
  await screen?.close();
  await swarm?.stop();
});

/** What reaches beyond the edge of the window, if the window would scroll for it. */
function overflow() {
  return screen.page.evaluate(() => ({
    beyond:
      document.documentElement.scrollWidth === document.documentElement.clientWidth
        ? []
        : [...document.querySelectorAll("#app *")]
            .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth)
            .map((element) => element.outerHTML.slice(0, 120))
            .slice(-3),
    pwned: "pwned" in window,
    scripts: [...document.scripts].filter((script) => !script.src.startsWith(location.origin)).length,
    foreign: document.querySelectorAll("#app b, #app i, #app iframe, #app img:not([src='/icon.svg'])").length,
  }));
}

const CLEAN = { beyond: [], pwned: false, scripts: 0, foreign: 0 };

test.each(PAGES)("on %s hostile text neither runs nor breaks the layout", async (path) => {
  for (const width of [1440, 360]) {
    await screen.page.setViewportSize({ width, height: 900 });
    await screen.page.goto(`${swarm.url("hmi")}${path}`);
    await screen.page.getByText("live", { exact: true }).waitFor();
    await until("the page has settled", async () => (await screen.page.getByText("Loading…").count()) === 0);
    expect({ width, ...(await overflow()) }).toEqual({ width, ...CLEAN });
  }
});

test("nor when one of them is looked at closely", async () => {
  const { receipts } = await swarm.get<{ receipts: { run_id: string }[] }>("gateway", "/receipts");
  const { alerts } = await until("the alert is kept", async () => {
    const page = await swarm.get<{ alerts: { alert_id: string; service_name: string }[] }>("heartbeat-monitor", "/alerts");
    return page.alerts.some((alert) => alert.service_name === NAMES[0]) && page;
  });
  const places = [
    ...ids.map((id) => `/tree/${id}`),
    `/services/${ids[0]}`,
    `/receipts/${receipts[0]?.run_id}`,
    ...alerts.map(({ alert_id }) => `/alerts/${alert_id}`),
    `/tree/${encodeURIComponent(NAMES[0] ?? "")}`,
    `/receipts/${encodeURIComponent(NAMES[1] ?? "")}`,
    `/alerts?type=${encodeURIComponent(NAMES[1] ?? "")}&service=${encodeURIComponent(NAMES[0] ?? "")}`,
  ];
  for (const width of [1440, 360]) {
    await screen.page.setViewportSize({ width, height: 900 });
    for (const place of places) {
      await screen.page.goto(`${swarm.url("hmi")}${place}`);
      await screen.page.getByText("live", { exact: true }).waitFor();
      expect({ place, width, ...(await overflow()) }).toEqual({ place, width, ...CLEAN });
    }
  }
});

test("nothing that the browser complains of has happened", () => {
  expect(screen.complaints).toEqual([]);
});
