/** Writes ../dashboards: node --import tsx deploy/grafana/src/write.ts */
import { writeFileSync } from "node:fs";
import { DASHBOARDS, dashboardJson } from "./dashboards.ts";

for (const [page, dashboard] of Object.entries(DASHBOARDS)) {
  const path = new URL(`../dashboards/${page}.json`, import.meta.url);
  writeFileSync(path, dashboardJson(dashboard));
}
