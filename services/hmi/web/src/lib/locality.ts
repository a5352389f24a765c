// Where something runs.

import type { Service } from "../api/types";

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** As its label says, else as its address says; nothing of what has neither, as an agent without a server. */
export function locality({ labels, url }: Pick<Service, "labels" | "url">): "local" | "external" | undefined {
  if (labels.locality === "local" || labels.locality === "external") return labels.locality;
  if (url === null || !URL.canParse(url)) return undefined;
  return LOOPBACK.test(new URL(url).hostname) ? "local" : "external";
}
