import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { broker } from "./broker.ts";
import type { Page } from "./layout.ts";
import { sweep } from "./sweep.ts";
import { workers } from "./workers.ts";

export const DASHBOARDS: Readonly<Record<Page, Dashboard>> = { sweep, workers, broker };

/** A dashboard as its file in ../dashboards has it. */
export function dashboardJson(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
