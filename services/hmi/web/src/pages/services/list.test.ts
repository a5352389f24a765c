import { expect, test } from "vitest";
import type { Service, ServiceView } from "../../api/types";
import { service } from "../../testing/known";
import { seeds } from "../../testing/random";
import { STATUSES, choices, condition, example, fits, inOrder, lastBeat, models } from "./list";
import { unconfigured } from "../../live/state";

const door = (...status_reasons: string[]) =>
  service({ name: "anthropic", type: "model", status: "down", status_reasons });
const says = "says: no_credential: set ANTHROPIC_API_KEY, in the environment or in .env";

test("a door without a credential is not configured, and says what to set", () => {
  expect(condition(door(says))).toEqual({
    state: "idle",
    word: "not configured",
    why: "set ANTHROPIC_API_KEY, in the environment or in .env",
  });
  expect(condition({ ...door(says), paused: true }).word).toBe("not configured, paused");
});

test("a door that is silent as well is down", () => {
  const dead = door("beats: missed 2 (last seen 2025-11-06T10:30:00.000Z)", says);
  expect(unconfigured(dead)).toBe(false);
  expect(condition(dead)).toMatchObject({ state: "down", word: "down" });
  expect(unconfigured(door())).toBe(false);
});

test("a pause is told with what is wrong behind it", () => {
  expect(condition(service({ name: "a", paused: true }))).toEqual({ state: "paused", word: "paused", why: "" });
  const both = service({ name: "a", paused: true, status: "degraded", status_reasons: ["says: x", "probe: y"] });
  expect(condition(both)).toEqual({ state: "paused", word: "paused, degraded", why: "says: x; probe: y" });
});

test("the models are those of its label with their contexts, else it is one itself", () => {
  const of = (labels: Service["labels"], ctx_limit: number | null = null) =>
    models({ type: "model", name: "ollama", labels, ctx_limit });
  expect(of({ models: "llama3.1:8b, tiny=x", ctx_limits: "llama3.1:8b=8192,tiny=x=4096,other=1" })).toEqual([
    { name: "llama3.1:8b", ctx_limit: 8192 },
    { name: "tiny=x", ctx_limit: 4096 },
  ]);
  expect(of({ models: " , " }, 100)).toEqual([{ name: "ollama", ctx_limit: 100 }]);
  expect(of({ models: null })).toEqual([{ name: "ollama", ctx_limit: undefined }]);
  expect(models({ type: "tool", name: "t", labels: { models: "m" }, ctx_limit: null })).toEqual([]);
});

const view = (more: Partial<ServiceView>): ServiceView => ({
  ...service({ name: "a" }),
  heartbeat_interval_s: 60,
  ttl_s: 90,
  reported_status: "ok",
  missed_beats: 0,
  probe: { reachability: "unprobed" },
  registered_at: "2025-11-06T10:30:00.000Z",
  last_heartbeat_ts: "2025-11-06T10:30:00.000Z",
  last_heartbeat_age_ms: 1_000,
  ...more,
});

test("a beat is on time until its ttl is over, also while nobody looks again", () => {
  expect(lastBeat(view({}), 0)).toMatchObject({ state: "ok", age_ms: 1_000 });
  expect(lastBeat(view({}), 89_000)).toMatchObject({ state: "ok", age_ms: 90_000 });
  expect(lastBeat(view({}), 89_001)).toMatchObject({
    state: "down",
    age_ms: 90_001,
    what: "overdue; one is due every 1 min",
  });
  expect(lastBeat(view({}), -5_000).age_ms).toBe(1_000);
  expect(lastBeat(view({ missed_beats: 1, heartbeat_interval_s: 5 }), 0)).toMatchObject({
    state: "down",
    what: "1 missed; one is due every 5 s",
  });
  expect(lastBeat(view({ verified: false, missed_beats: 1 }), 0).state).toBe("unknown");
});

test("a filter leaves what fits all of it, and every status finds its own", () => {
  seeds(30, (random) => {
    const all = Array.from({ length: 60 }, (_, n) =>
      service({
        name: `s${n}`,
        type: random.pick(["model", "tool", "agent", "service"]),
        role: random.pick(["canary", "production", "execution"]),
        caps: ["chat", "search"].filter(() => random.chance(0.5)),
        paused: random.chance(0.2),
        url: random.pick([null, "http://127.0.0.1:1", "https://far.example"]),
        ...random.pick([
          { status: "ok" as const, status_reasons: [] },
          { status: "degraded" as const, status_reasons: ["says: slow"] },
          { status: "down" as const, status_reasons: [says] },
        ]),
      }),
    );
    const filter = {
      type: random.pick([undefined, "model", "agent"]),
      role: random.pick([undefined, "canary"]),
      cap: random.pick([undefined, "chat"]),
      locality: random.pick([undefined, "local", "external"]),
    };
    const left = all.filter((it) => fits(it, filter));
    for (const [key, value] of Object.entries(filter)) {
      const alone = all.filter((it) => fits(it, { [key]: value }));
      expect(left.every((it) => alone.includes(it))).toBe(true);
    }
    const found = new Set(STATUSES.flatMap((status) => all.filter((it) => fits(it, { status }))));
    expect(found.size).toBe(all.length);
    const ok = all.filter((it) => fits(it, { status: "down" }));
    expect(ok.some((it) => it.status_reasons.includes(says))).toBe(false);
  });
});

test("a text is looked for in everything by which people know a service", () => {
  const it = service({
    name: "Ollama",
    service_id: "01a2",
    url: "http://127.0.0.1:11434",
    caps: ["infer"],
    labels: { models: "llama3.1:8b", provider: "meta" },
  });
  for (const text of ["olla", " OLLAMA ", "01a2", "11434", "infe", "3.1:8", "meta"])
    expect(fits(it, { text })).toBe(true);
  for (const text of ["gemini", "undefined", "null"]) expect(fits(it, { text })).toBe(false);
});

test("models come first, and those of one type stay in their order", () => {
  const all = (["agent", "service", "model", "tool", "agent", "model"] as const).map((type, n) =>
    service({ name: `${n}`, type }),
  );
  expect(inOrder(all).map(({ name }) => name)).toEqual(["2", "5", "3", "0", "4", "1"]);
});

test("the most frequent choices come first, and not all of thousands", () => {
  const all = [["chat"], ["chat", "code"], ["agents"]].map((caps, n) => service({ name: `${n}`, caps }));
  expect(choices(all, ({ caps }) => caps)).toEqual(["chat", "agents", "code"]);
  expect(choices(all, ({ caps }) => caps, 1)).toEqual(["chat"]);
});

test("what is proposed for a registration has a role of its type, and a server unless it is an agent", () => {
  for (const type of ["model", "tool", "agent", "service"] as const) {
    const { role, url } = example(type) as { role: string; url?: string };
    expect(["coordinator", "system", "execution"].includes(role)).toBe(type === "agent");
    expect(url === undefined).toBe(type === "agent");
  }
});
