// The pages, in the order in which they are listed.

import { type Component, lazy } from "solid-js";

export interface Page {
  path: string;
  title: string;
  /** What `g` and this letter lead to. */
  key: string;
  show: Component;
}

export const PAGES: Page[] = [
  { path: "/", title: "Dashboard", key: "d", show: lazy(() => import("../pages/dashboard/dashboard")) },
  { path: "/tree", title: "Agent tree", key: "t", show: lazy(() => import("../pages/tree/page")) },
  { path: "/costs", title: "Costs", key: "c", show: lazy(() => import("../pages/costs/costs")) },
  { path: "/alerts", title: "Alerts", key: "a", show: lazy(() => import("../pages/alerts/alerts")) },
  { path: "/receipts", title: "Receipts", key: "r", show: lazy(() => import("../pages/receipts/receipts")) },
  { path: "/services", title: "Services", key: "s", show: lazy(() => import("../pages/services/services")) },
  { path: "/playground", title: "Playground", key: "p", show: lazy(() => import("../pages/playground/playground")) },
];
