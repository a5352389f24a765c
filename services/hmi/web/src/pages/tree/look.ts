// How a node looks: its state, its size, and what is written beside it. Pure.

import type { Service } from "../../api/types";
import { duration, percent } from "../../lib/format";
import { type State, ctxRatio, ofAgent, ofService } from "../../live/state";
import type { Agent } from "../../live/swarm";
import { GREATEST } from "./sizes";

export interface Look {
  state: State;
  /** In points of the picture: by how full the context is. */
  diameter: number;
  /** Its state in words, with what is most worth to know besides. */
  note: string;
}

const SMALLEST = 8;
/** Of whoever has no context, or says nothing of it. */
const PLAIN = 18;

export function diameterOf(ratio: number | undefined): number {
  if (ratio === undefined || Number.isNaN(ratio)) return PLAIN;
  return Math.round(SMALLEST + (GREATEST - SMALLEST) * Math.max(0, Math.min(1, ratio)));
}

export function lookOfAgent(agent: Agent, now: number): Look {
  const state = ofAgent(agent, now);
  const ratio = ctxRatio(agent);
  const calls = agent.calls.length > 0 ? [`${agent.calls.length} in flight`] : [];
  const context = ratio === undefined ? [] : [percent(ratio)];
  const unlisted = agent.service ? [] : ["not registered"];
  return { state, diameter: diameterOf(ratio), note: [state, ...context, ...calls, ...unlisted].join(" · ") };
}

export function lookOfService(service: Service): Look {
  const state = ofService(service);
  const latency = service.p95_ms === null ? [] : [duration(service.p95_ms)];
  return { state, diameter: PLAIN, note: [state, ...latency].join(" · ") };
}

/** What needs somebody: counted where it is out of sight. */
export const isBad = (state: State): boolean => state === "down" || state === "error" || state === "stuck";

export const same = (a: Look | undefined, b: Look): boolean =>
  a !== undefined && a.state === b.state && a.diameter === b.diameter && a.note === b.note;
