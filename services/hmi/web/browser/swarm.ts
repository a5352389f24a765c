// A swarm of real programs on free ports, for a test that looks at it with a real browser.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const ROOT = resolve(import.meta.dirname, "../../../..");
const BINARIES = process.env.PAS_BINARIES ?? resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target", "debug");

export type Part = "registry" | "event-stream" | "heartbeat-monitor" | "provider-router" | "gateway" | "hmi" | "classifier";

interface Running {
  arguments: string[];
  port: number;
  child: ChildProcess;
}

export interface Registered {
  service_id: string;
  lease_id: string;
}

export class Swarm {
  private parts = new Map<string, Running>();

  private constructor(
    private readonly data: string,
    private readonly ports: Record<"registry" | "events" | "hmi", number>,
  ) {}

  /** Starts every part of PAS that the screens need. */
  static async start(): Promise<Swarm> {
    const data = mkdtempSync(join(tmpdir(), "pas-hmi-"));
    const [registry, events, hmi] = await Promise.all([freePort(), freePort(), freePort()]);
    const swarm = new Swarm(data, { registry, events, hmi });
    await Promise.all([
      swarm.run("registry", registry, ["--boot-grace-s", "1"]),
      swarm.run("event-stream", events),
      swarm.run("heartbeat-monitor", 0, ["--probe-interval-s", "1"]),
      swarm.run("provider-router", 0, ["--matrix", join(ROOT, "config/providers.matrix.json"), "--policies", join(ROOT, "config/policies.yaml")]),
      swarm.run("classifier", 0, ["--training-dir", join(ROOT, "config/classifier/train")]),
    ]);
    await swarm.run("gateway", 0, ["--router-url", swarm.url("provider-router")]);
    await swarm.run("hmi", hmi, [
      "--gateway-url",
      swarm.url("gateway"),
      "--monitor-url",
      swarm.url("heartbeat-monitor"),
      "--router-url",
      swarm.url("provider-router"),
    ]);
    return swarm;
  }

  url(part: Part | "scripted"): string {
    const running = this.parts.get(part);
    if (!running) throw new Error(`${part} does not run`);
    return `http://127.0.0.1:${running.port}`;
  }

  /** Starts a provider that does what it is told. */
  async scripted(...flags: string[]): Promise<string> {
    await this.launch("scripted", "pas-scripted-provider", 0, flags);
    return this.url("scripted");
  }

  /** The scripted swarm of `pas demo`. */
  async demo(): Promise<void> {
    const flags = ["--registry-url", this.url("registry"), "--gateway-url", this.url("gateway"), "--events-url", this.url("event-stream")];
    const child = spawn(join(BINARIES, "pas-demo"), flags, { stdio: ["ignore", "ignore", "inherit"] });
    this.parts.set("demo", { arguments: flags, port: 0, child });
  }

  signal(part: Part, signal: NodeJS.Signals): void {
    this.parts.get(part)?.child.kill(signal);
  }

  async kill(part: Part): Promise<void> {
    const running = this.parts.get(part);
    if (running) await ended(running.child, "SIGKILL");
  }

  /** Starts it again, on the port that it had. */
  async restart(part: Part): Promise<void> {
    const running = this.parts.get(part);
    if (running) await this.launch(part, `pas-${part}`, running.port, running.arguments);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.parts.values()].map(({ child }) => ended(child, "SIGKILL")));
    rmSync(this.data, { recursive: true, force: true });
  }

  // What a user does with curl.

  async post<T = unknown>(part: Part, path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
    return this.send(`${this.url(part)}${path}`, "POST", body, headers);
  }

  async get<T = unknown>(part: Part, path: string): Promise<T> {
    const response = await fetch(`${this.url(part)}${path}`);
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  register(service: Record<string, unknown>): Promise<Registered> {
    return this.post("registry", "/register", { type: "agent", role: "execution", ...service });
  }

  beat(service_id: string, beat: Record<string, unknown> = {}): Promise<unknown> {
    return this.send(`${this.url("registry")}/heartbeat`, "PUT", { service_id, ...beat });
  }

  publish(events: unknown): Promise<unknown> {
    return this.post("event-stream", "/events", events);
  }

  private async send<T>(url: string, method: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
    const init = { method, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
    const response = await fetch(url, init);
    if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  private async run(part: Part, port: number, flags: string[] = []): Promise<void> {
    const { registry, events, hmi } = this.ports;
    const shared = {
      "--registry-url": `http://127.0.0.1:${registry}`,
      "--events-url": `http://127.0.0.1:${events}`,
      "--origins": `http://127.0.0.1:${hmi}`,
      "--data-dir": this.data,
      "--bind": "127.0.0.1",
      "--log-format": "json",
      "--log": "warn,pas_service::server=info",
    };
    await this.launch(part, `pas-${part}`, port, [...flags, ...Object.entries(shared).flat()]);
  }

  private async launch(name: string, binary: string, port: number, flags: string[]): Promise<void> {
    const child = spawn(join(BINARIES, binary), ["--port", String(port), ...flags], { cwd: this.data, stdio: ["ignore", "pipe", "inherit"] });
    const listening = await new Promise<number>((done, fail) => {
      child.once("error", (error) => fail(new Error(`${binary} can't be started (cargo build --workspace builds it): ${error.message}`)));
      child.once("exit", (code) => fail(new Error(`${binary} ended with ${code} before it listened`)));
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
        const said = JSON.parse(line) as { message?: string; port?: number };
        if (said.message === "listening" && said.port !== undefined) done(said.port);
      });
    });
    this.parts.set(name, { arguments: flags, port: listening, child });
  }
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    child.once("exit", () => done());
    child.kill(signal);
  });
}

/** Asks again and again until it is so; says what was found when it never is. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false | null>, within_ms = 15_000): Promise<T> {
  const end = performance.now() + within_ms;
  let last: unknown;
  for (;;) {
    try {
      const found = await ask();
      if (found !== undefined && found !== false && found !== null) return found;
      last = found;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`not within ${within_ms} ms: ${what} (${String(last)})`);
    await new Promise((later) => setTimeout(later, 25));
  }
}
