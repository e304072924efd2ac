/** What the panels ask, with variables replaced as Grafana would replace them. */
import type { Dashboard, Panel } from "@grafana/grafana-foundation-sdk/dashboard";
import type { Dataquery } from "@grafana/grafana-foundation-sdk/prometheus";
import { DASHBOARDS } from "./dashboards.ts";
import type { Page } from "./layout.ts";

export interface VariableValues {
  readonly sweep: string;
  /** Regular expressions; all, if not given. */
  readonly job?: string;
  readonly instance?: string;
  /** At least four times the scrape interval, as Grafana has it. */
  readonly rateInterval?: string;
  /** The time shown. */
  readonly range?: string;
}

export interface PanelQuery {
  readonly dashboard: Page;
  readonly panel: string;
  /** Of panel, as in `stat`, `timeseries`. */
  readonly type: string;
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly isInstant: boolean;
}

export function panelQueries(values: VariableValues): PanelQuery[] {
  return (Object.keys(DASHBOARDS) as Page[]).flatMap((dashboard) =>
    panelsOf(DASHBOARDS[dashboard]).flatMap(({ title = "", type, targets = [] }) =>
      (targets as Dataquery[]).map(({ refId = "", expr, legendFormat = "", instant = false }) => ({
        dashboard,
        panel: title,
        type,
        refId,
        expr: withValues(expr, values),
        legendFormat,
        isInstant: instant,
      })),
    ),
  );
}

/** Without the rows' headings. */
export function panelsOf({ panels = [] }: Dashboard): Panel[] {
  return panels.filter((panel): panel is Panel => panel.type !== "row");
}

/** @throws if a variable is left. */
export function withValues(expr: string, values: VariableValues): string {
  const { sweep, job = ".*", instance = ".*", rateInterval = "1m", range = "1h" } = values;
  const replaced: Readonly<Record<string, string>> = {
    sweep,
    job,
    instance,
    __rate_interval: rateInterval,
    __range: range,
  };
  return expr.replace(/\$\{?(\w+)\}?/g, (_, name: string) => {
    const value = replaced[name];
    if (value === undefined) throw new Error(`expected a known variable, got $${name} in ${expr}`);
    return value;
  });
}
