/** Panels as dashboards here use them: what differs is data, what does not is set once. */
import * as bargauge from "@grafana/grafana-foundation-sdk/bargauge";
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import * as common from "@grafana/grafana-foundation-sdk/common";
import * as sdk from "@grafana/grafana-foundation-sdk/dashboard";
import * as gauge from "@grafana/grafana-foundation-sdk/gauge";
import * as heatmap from "@grafana/grafana-foundation-sdk/heatmap";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import * as stat from "@grafana/grafana-foundation-sdk/stat";
import * as table from "@grafana/grafana-foundation-sdk/table";
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";

// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the dashboard
export const DATASOURCE = { type: "prometheus", uid: "${datasource}" } as const;

/** Where deploy/runbooks is to be found; README.md says how to put your own in its place. */
export const RUNBOOKS = "https://ftle-sweeper.example/deploy/runbooks";

export interface Query {
  readonly expr: string;
  readonly legend?: string;
}

/** From which value on, in which colour; the first is the base. */
export type Thresholds = readonly (readonly [number | null, string])[];

export interface PanelOptions {
  readonly title: string;
  readonly description: string;
  /** https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Of 24 columns. */
  readonly width: number;
  readonly height?: number;
  readonly thresholds?: Thresholds;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  /** What is shown when there is no data. */
  readonly noValue?: string;
  /** The alert whose runbook explains trouble seen here. */
  readonly runbook?: string;
  /** Colours of series, by name. */
  readonly colours?: Readonly<Record<string, string>>;
}

/** A panel that has its size, but no place and number yet. */
export interface SizedPanel {
  readonly panel: Builder<sdk.Panel> & {
    gridPos(place: sdk.GridPos): unknown;
    id(id: number): unknown;
  };
  readonly width: number;
  readonly height: number;
}

type QueryKind = "instant" | "range" | "heatmap" | "buckets" | "table";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

function target({ expr, legend }: Query, place: number, kind: QueryKind) {
  const query = new DataqueryBuilder()
    .refId(LETTERS[place]!)
    .datasource(DATASOURCE)
    .expr(expr)
    .legendFormat(legend ?? "");
  if (kind === "heatmap") return query.range().format(PromQueryFormat.Heatmap);
  if (kind === "buckets") return query.instant().format(PromQueryFormat.Heatmap);
  if (kind === "table") return query.instant().format(PromQueryFormat.Table);
  return kind === "instant" ? query.instant() : query.range();
}

type AnyPanel =
  | bargauge.PanelBuilder
  | gauge.PanelBuilder
  | heatmap.PanelBuilder
  | stat.PanelBuilder
  | table.PanelBuilder
  | timeseries.PanelBuilder;

function decorated<B extends AnyPanel>(panel: B, kind: QueryKind, options: PanelOptions): B {
  panel
    .title(options.title)
    .description(options.description)
    .unit(options.unit)
    .datasource(DATASOURCE)
    .targets(options.queries.map((query, place) => target(query, place, kind)));
  const { thresholds = [[null, "text"]], decimals, min, max, noValue, runbook } = options;
  panel.thresholds(
    new sdk.ThresholdsConfigBuilder()
      .mode(sdk.ThresholdsMode.Absolute)
      .steps(thresholds.map(([value, color]) => ({ value, color }))),
  );
  if (decimals !== undefined) panel.decimals(decimals);
  if (min !== undefined) panel.min(min);
  if (max !== undefined) panel.max(max);
  if (noValue !== undefined) panel.noValue(noValue);
  if (runbook !== undefined) {
    panel.links([
      new sdk.DashboardLinkBuilder(`Runbook: ${runbook}`)
        .type(sdk.DashboardLinkType.Link)
        .url(`${RUNBOOKS}/${runbook}.md`)
        .targetBlank(true),
    ]);
  }
  for (const [name, fixedColor] of Object.entries(options.colours ?? {})) {
    panel.overrideByName(name, [{ id: "color", value: { mode: "fixed", fixedColor } }]);
  }
  return panel;
}

function sized(panel: AnyPanel, { width, height }: PanelOptions, usual: number): SizedPanel {
  return { panel, width, height: height ?? usual };
}

const last = () => new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false);

const colour = (mode: sdk.FieldColorModeId) => new sdk.FieldColorBuilder().mode(mode);

/** One value, now. `text: "name"` shows what the series is called in its place. */
export function number(options: PanelOptions & { readonly text?: "value" | "name" }): SizedPanel {
  const panel = decorated(new stat.PanelBuilder(), "instant", options)
    .reduceOptions(last())
    .graphMode(common.BigValueGraphMode.None)
    .colorMode(common.BigValueColorMode.Value)
    .textMode(
      options.text === "name" ? common.BigValueTextMode.Name : common.BigValueTextMode.ValueAndName,
    );
  return sized(panel, options, 4);
}

export function dial(options: PanelOptions): SizedPanel {
  return sized(
    decorated(new gauge.PanelBuilder(), "instant", options).reduceOptions(last()),
    options,
    4,
  );
}

/** One bar a series, now. */
export function bars(options: PanelOptions): SizedPanel {
  return sized(barPanel("instant", options), options, 8);
}

/** One bar a bucket of a histogram, now; its upper end beside it. */
export function buckets(options: PanelOptions): SizedPanel {
  return sized(barPanel("buckets", options), options, 8);
}

function barPanel(kind: QueryKind, options: PanelOptions): bargauge.PanelBuilder {
  return decorated(new bargauge.PanelBuilder(), kind, options)
    .reduceOptions(last())
    .orientation(common.VizOrientation.Horizontal)
    .displayMode(common.BarGaugeDisplayMode.Basic)
    .valueMode(common.BarGaugeValueMode.Text);
}

/** Series over time. */
export function lines(
  options: PanelOptions & { readonly isStacked?: boolean; readonly showThresholds?: boolean },
): SizedPanel {
  const { isStacked = false, showThresholds = false, queries } = options;
  const panel = decorated(new timeseries.PanelBuilder(), "range", options)
    .colorScheme(colour(sdk.FieldColorModeId.PaletteClassicByName))
    .lineWidth(1)
    .fillOpacity(isStacked ? 40 : 0)
    .showPoints(common.VisibilityMode.Auto)
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(queries.some(({ legend }) => legend !== undefined))
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    );
  if (isStacked) {
    panel.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group("A"));
  }
  if (showThresholds) {
    panel.thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed),
    );
  }
  return sized(panel, options, 8);
}

/** A histogram over time; the unit is that of its buckets. */
export function heat(options: PanelOptions): SizedPanel {
  const panel = decorated(new heatmap.PanelBuilder(), "heatmap", options)
    .calculate(false)
    .color(
      new heatmap.HeatmapColorOptionsBuilder()
        .mode(heatmap.HeatmapColorMode.Scheme)
        .scheme("Viridis")
        .steps(64),
    )
    .yAxis(new heatmap.YAxisConfigBuilder().unit(options.unit))
    .cellValues(new heatmap.CellValuesBuilder().unit("short"))
    .tooltip(new heatmap.HeatmapTooltipBuilder().mode(common.TooltipDisplayMode.Single))
    .showLegend();
  return sized(panel, options, 8);
}

export interface Column {
  readonly expr: string;
  readonly name: string;
  readonly unit: string;
  readonly thresholds?: Thresholds;
}

/** One row a value of the label `by`; `labels` of the first column's series are columns, too. */
export function rows(
  options: Omit<PanelOptions, "queries"> & {
    readonly by: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly columns: readonly Column[];
    /** Label sets that queries return beside `by`, not to be shown. */
    readonly hidden?: readonly string[];
  },
): SizedPanel {
  const { by, labels, columns, hidden = [] } = options;
  const queries = columns.map(({ expr }) => ({ expr }));
  const values = columns.map((_, place) => `Value #${LETTERS[place]}`);
  const order = [by, ...Object.keys(labels), ...values];
  const names = Object.fromEntries(columns.map(({ name }, place) => [values[place]!, name]));
  const panel = decorated(new table.PanelBuilder(), "table", { ...options, queries })
    .withTransformation({ id: "joinByField", options: { byField: by, mode: "outer" } })
    .withTransformation({
      id: "organize",
      options: {
        excludeByName: Object.fromEntries(
          ["Time", ...columns.map((_, place) => `Time ${place + 1}`), ...hidden].map((name) => [
            name,
            true,
          ]),
        ),
        indexByName: Object.fromEntries(order.map((name, place) => [name, place])),
        renameByName: { ...labels, ...names },
      },
    });
  for (const { name, unit, thresholds } of columns) {
    panel.overrideByName(name, [
      { id: "unit", value: unit },
      ...(thresholds === undefined
        ? []
        : [
            { id: "custom.cellOptions", value: { type: "color-text" } },
            {
              id: "thresholds",
              value: {
                mode: "absolute",
                steps: thresholds.map(([value, color]) => ({ value, color })),
              },
            },
          ]),
    ]);
  }
  return sized(panel, { ...options, queries }, 9);
}
