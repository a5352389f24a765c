// The pages, in the order in which they are listed.

import type { Component } from "solid-js";
import { lazily } from "./lazily";

export interface Page {
  path: string;
  title: string;
  /** What `g` and this letter lead to. */
  key: string;
  show: Component;
}

export const PAGES: Page[] = [
  { path: "/", title: "Dashboard", key: "d", show: lazily(() => import("../pages/dashboard/dashboard")) },
  { path: "/tree", title: "Agent tree", key: "t", show: lazily(() => import("../pages/tree/page")) },
  { path: "/costs", title: "Costs", key: "c", show: lazily(() => import("../pages/costs/costs")) },
  { path: "/alerts", title: "Alerts", key: "a", show: lazily(() => import("../pages/alerts/alerts")) },
  { path: "/receipts", title: "Receipts", key: "r", show: lazily(() => import("../pages/receipts/receipts")) },
  { path: "/services", title: "Services", key: "s", show: lazily(() => import("../pages/services/services")) },
  { path: "/playground", title: "Playground", key: "p", show: lazily(() => import("../pages/playground/playground")) },
];
