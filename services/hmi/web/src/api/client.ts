// Calls to the HMI's own address, which passes them on to whoever owns the answer.

import { learnTime } from "../lib/time";
import type { ErrorBody } from "./types";

/** An answer that was none, in words for a person. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly field?: string,
  ) {
    super(message);
  }
}

const PATIENCE_MS = 15_000;

export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return call<T>(path, {}, signal);
}

export function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  return call<T>(path, init, signal);
}

/** An answer that isn't read as JSON, for as long as it takes. */
export async function fetched(url: string, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    throw signal.aborted ? error : unreachable();
  }
  if (!response.ok) throw await refused(response);
  return response;
}

/** The query of a URL, of what is set. */
export function query(values: Record<string, string | number | boolean | null | undefined>): string {
  const set = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return set.length === 0 ? "" : `?${new URLSearchParams(set.map(([key, value]) => [key, String(value)]))}`;
}

async function call<T>(path: string, init: RequestInit, signal?: AbortSignal): Promise<T> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const ended = signal ? AbortSignal.any([signal, patience]) : patience;
  let response: Response;
  const asked_at = Date.now();
  try {
    response = await fetch(path, { ...init, signal: ended });
    learnTime(response.headers.get("date"), asked_at, Date.now());
  } catch (error) {
    if (signal?.aborted) throw error;
    throw unreachable(patience.aborted);
  }
  if (!response.ok) throw await refused(response);
  return (await response.json()) as T;
}

export function unreachable(late = false): ApiError {
  const message = late ? "the HMI does not answer" : "the HMI can't be reached: is it running?";
  return new ApiError(message, 0, "unavailable");
}

/** The error that a response carries. */
export async function refused(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => "");
  try {
    const { error } = JSON.parse(text) as { error: ErrorBody };
    return new ApiError(error.message, response.status, error.code, error.field);
  } catch {
    return new ApiError(`answered ${response.status} ${response.statusText}`.trim(), response.status, "internal");
  }
}
