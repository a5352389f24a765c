// What a person does to the swarm: each asks first, names what it hits, and shows what came of it.

import { type ApiError, post } from "../api/client";
import type { Alert, Role, Service } from "../api/types";
import { line } from "../lib/text";
import { ask, say } from "../parts/dialog";
import { acknowledge } from "./acknowledgements";
import { type Whom, hits as hitsOf, orphans, toType } from "./hits";
import { learnAlerts, services, sources } from "../live/store";

const READY_REASONS = ["maintenance", "costs too much", "looks wrong", "done looking"];

function named(whom: Whom): string {
  if ("all" in whom) return "everyone";
  return "subtree" in whom ? `${line(whom.subtree, 80)} and all below` : line(whom.name, 80);
}

export async function pause(whom: Whom): Promise<void> {
  await admin("pause", whom, "Calls of paused agents are refused until they are resumed; paused models and tools get none. What is under way finishes.");
}

export async function resume(whom: Whom): Promise<void> {
  await admin("resume", whom, "They call, and are called, again.");
}

async function admin(verb: "pause" | "resume", whom: Whom, effect: string): Promise<void> {
  const hits = hitsOf(services(), whom, verb);
  const word = verb === "pause" ? "Pause" : "Resume";
  const reason = await ask({
    title: `${word} ${named(whom)}?`,
    what: `${effect} ${hitText(hits)}`,
    confirm: word,
    danger: verb === "pause",
    reasons: READY_REASONS,
  });
  if (reason === undefined) return;
  const selector = "service_id" in whom ? { service_id: whom.service_id } : whom;
  await acknowledge(verb, named(whom), hits, () =>
    post<{ matched: number; changed: string[] }>(`/api/registry/${verb}`, { ...selector, reason }),
  );
  sources.services.look();
}

function hitText(hits: Service[]): string {
  if (hits.length === 0) return "As far as is known now, it changes nobody.";
  const names = hits.slice(0, 8).map((service) => line(service.name, 40));
  const more = hits.length > names.length ? ` and ${hits.length - names.length} more` : "";
  return `It hits ${hits.length}: ${names.join(", ")}${more}.`;
}

export async function promote(service: Service, role: Role): Promise<void> {
  const reason = await ask({
    title: `Make ${line(service.name, 80)} ${role}?`,
    what: `It is ${service.role} now. The gateway asks production and canary for models unless a call names another rung.`,
    confirm: `Make it ${role}`,
  });
  if (reason === undefined) return;
  await done(`${service.name} is ${role} now`, post("/api/registry/promote", { service_id: service.service_id, role, reason }));
}

export async function deregister(service: Service): Promise<void> {
  const left = orphans(services(), service).length;
  const also = left === 0 ? "" : ` ${left} that ${left === 1 ? "names" : "name"} it as parent ${left === 1 ? "has" : "have"} none then.`;
  const reason = await ask({
    title: `Take ${line(service.name, 80)} off the list?`,
    what: `It is not found any more.${also} If its process lives, it registers again at its next beat.`,
    confirm: "Take it off",
    danger: true,
    typed: toType(service),
  });
  if (reason === undefined) return;
  await done(`${service.name} is off the list`, post("/api/registry/deregister", { service_id: service.service_id, reason }));
}

export async function cancelCall(run_id: string): Promise<void> {
  const reason = await ask({
    title: `Cancel ${line(run_id, 80)}?`,
    what: "Whoever is asked is left, and the caller is told. What it has cost so far stays spent.",
    confirm: "Cancel the call",
    danger: true,
  });
  if (reason === undefined) return;
  await done(`${run_id} is being cancelled`, post(`/api/gateway/inflight/${encodeURIComponent(run_id)}/cancel`, { reason }));
  sources.inflight.look();
}

/** Alerts that are acknowledged at the same time. */
const AT_ONCE = 20;

export async function acknowledgeAlerts(ids: string[], what: string): Promise<void> {
  const reason = await ask({
    title: `Acknowledge ${line(what, 120)}?`,
    what: `${ids.length} ${ids.length === 1 ? "alert" : "alerts"} will not ask for attention any more. What is wrong stays wrong.`,
    confirm: "Acknowledge",
    reason: "optional",
  });
  if (reason === undefined) return;
  const body = reason === "" ? {} : { reason };
  const noted: Alert[] = [];
  try {
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      const some = ids.slice(at, at + AT_ONCE);
      const outcomes = await Promise.allSettled(
        some.map((id) => post<Alert>(`/api/monitor/alerts/${encodeURIComponent(id)}/ack`, body)),
      );
      for (const outcome of outcomes) if (outcome.status === "fulfilled") noted.push(outcome.value);
      for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
    }
    say(line(`${what}: acknowledged`, 200));
  } catch (error) {
    const some = noted.length > 0 ? `${noted.length} of ${ids.length} are acknowledged, then: ` : "";
    say(line(`${some}${(error as ApiError).message}`, 400), "error");
  }
  // Also when some failed: the others are done.
  learnAlerts({ alerts: noted, next_cursor: null });
}

/** Shows what came of it. */
export async function done<T>(success: string, doing: Promise<T>): Promise<T | undefined> {
  try {
    const answer = await doing;
    say(line(success, 200));
    sources.services.look();
    return answer;
  } catch (error) {
    say(line((error as ApiError).message, 400), "error");
    return undefined;
  }
}
