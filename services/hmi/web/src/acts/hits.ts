// Whom an act hits, as far as the list knows. Pure.

import type { Service } from "../api/types";
import { groupBy } from "../lib/group";
import { isPlain } from "../lib/text";

/** Who is paused or resumed. */
export type Whom = { all: true } | { service_id: string; name: string } | { subtree: string };

/** Those that it would change, of those that are listed. */
export function hits(services: Service[], whom: Whom, verb: "pause" | "resume"): Service[] {
  const changes = services.filter((service) => service.paused === (verb === "resume"));
  if ("all" in whom) return changes.filter((service) => service.type !== "service");
  if ("service_id" in whom) return changes.filter((service) => service.service_id === whom.service_id);
  const children = groupBy(services, ({ labels }) => labels.parent ?? undefined);
  const below = new Set([whom.subtree]);
  // It grows while it is gone through.
  for (const name of below) for (const child of children.get(name) ?? []) below.add(child.name);
  return changes.filter((service) => below.has(service.name));
}

/** Those that are without a parent when this one is gone: they name it, and nobody else has its name. */
export function orphans(services: Service[], { service_id, name }: Service): Service[] {
  if (services.some((other) => other.name === name && other.service_id !== service_id)) return [];
  return services.filter((other) => other.labels.parent === name && other.service_id !== service_id);
}

/** The longest name that a person is asked to type. */
const TYPED = 80;

/** What is typed to say that this one is meant: its name, or the end of its id where the name isn't what it looks like. */
export function toType({ name, service_id }: Service): string {
  return isPlain(name, TYPED) ? name : service_id.slice(-6);
}
