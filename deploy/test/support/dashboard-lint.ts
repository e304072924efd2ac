import type { Dashboard, Panel } from "@grafana/grafana-foundation-sdk/dashboard";
import type { Dataquery } from "@grafana/grafana-foundation-sdk/prometheus";
import { COLUMNS } from "../../grafana/src/layout.ts";
import { DATASOURCE, RUNBOOKS } from "../../grafana/src/panels.ts";
import { panelsOf, withValues } from "../../grafana/src/queries.ts";
import type { KnownMetric } from "./exported-metrics.ts";
import { checkedLabels } from "./promql.ts";

export interface LintOptions {
  readonly known: ReadonlyMap<string, KnownMetric>;
  /** Names of the alerts. */
  readonly alerts: ReadonlySet<string>;
}

/** Everything about it that is not as it should be. */
export function faultsOf(dashboard: Dashboard, options: LintOptions): string[] {
  const {
    uid,
    title,
    editable,
    id,
    schemaVersion,
    templating,
    links = [],
    panels = [],
  } = dashboard;
  const faults: string[] = [];
  const check = (isFine: boolean, fault: string) => {
    if (!isFine) faults.push(fault);
  };
  check(/^ftle-/.test(uid ?? ""), "no uid");
  check(Boolean(title && dashboard.description), "no title or description");
  check(editable === false, "editable");
  check(id === undefined || id === null, "has an id");
  check(schemaVersion === 42, "schemaVersion");
  const names = (templating?.list ?? []).map(({ name }) => name);
  for (const name of ["datasource", "sweep", "job", "instance"]) {
    check(names.includes(name), `no variable ${name}`);
  }
  const pages = links.filter(({ url }) => url?.startsWith("/d/"));
  check(pages.length === 2, "no links to the other two");
  check(
    pages.every(({ keepTime, includeVars }) => keepTime && includeVars),
    "a link forgets",
  );
  check(new Set(panels.map((panel) => panel.id)).size === panels.length, "two panels have one id");
  check(
    panels.every((panel) => panel.id !== undefined),
    "a panel without id",
  );
  for (const panel of panelsOf(dashboard)) {
    faults.push(...faultsOfPanel(panel, options).map((fault) => `${panel.title}: ${fault}`));
  }
  return [...faults, ...faultsOfPlaces(panels)];
}

function faultsOfPanel(panel: Panel, { known, alerts }: LintOptions): string[] {
  const { title, description, datasource, fieldConfig, links = [] } = panel;
  const targets = (panel.targets ?? []) as Dataquery[];
  const faults: string[] = [];
  const check = (isFine: boolean, fault: string) => {
    if (!isFine) faults.push(fault);
  };
  check(Boolean(title), "no title");
  check((description ?? "").length > 10, "no description");
  check(Boolean(fieldConfig?.defaults.unit), "no unit");
  check((fieldConfig?.defaults.thresholds?.steps.length ?? 0) > 0, "no thresholds");
  check(datasource?.uid === DATASOURCE.uid, "not the data source of the variable");
  check(targets.length > 0, "no queries");
  check(
    new Set(targets.map(({ refId }) => refId)).size === targets.length,
    "refIds are not unique",
  );
  for (const { title: name, url = "" } of links) {
    const alert = /([A-Za-z]+)\.md$/.exec(url)?.[1] ?? "";
    check(url === `${RUNBOOKS}/${alert}.md` && alerts.has(alert), `no runbook: ${name}`);
  }
  for (const { expr, refId, legendFormat = "", datasource: own } of targets) {
    check(Boolean(refId), "a query without refId");
    check(own?.uid === DATASOURCE.uid, "a query of another data source");
    check(expr.trim() !== "", "an empty query");
    for (const [, range] of expr.matchAll(/\[([^\]]*)\]/g)) {
      check(["$__rate_interval", "$__range"].includes(range!), `a fixed range: [${range}]`);
    }
    try {
      const labels = checkedLabels(withValues(expr, { sweep: "s" }), known);
      for (const [, label] of legendFormat.matchAll(/\{\{\s*(\w+)\s*\}\}/g)) {
        check(labels.has(label!), `no label {{${label}}} in the answer`);
      }
    } catch (error) {
      faults.push((error as Error).message);
    }
  }
  return faults;
}

function faultsOfPlaces(panels: NonNullable<Dashboard["panels"]>): string[] {
  const faults: string[] = [];
  const taken = new Map<string, string>();
  for (const { title = "", gridPos } of panels) {
    if (gridPos === undefined) {
      faults.push(`${title}: no place`);
      continue;
    }
    const { x, y, w, h } = gridPos;
    if (x < 0 || w < 1 || h < 1 || x + w > COLUMNS) faults.push(`${title}: outside of the columns`);
    for (let column = x; column < x + w; column++) {
      for (let row = y; row < y + h; row++) {
        const other = taken.get(`${column},${row}`);
        if (other !== undefined) faults.push(`${title}: lies over ${other}`);
        taken.set(`${column},${row}`, title);
      }
    }
  }
  return [...new Set(faults)];
}
