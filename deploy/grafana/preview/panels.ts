/** A dashboard's panels with Prometheus' answers, as the preview's page draws them. */
import type { PanelQuery, VariableValues } from "../src/queries.ts";
import { withValues } from "../src/queries.ts";

/** As in Classic JSON; what the preview looks at. */
export interface ClassicPanel {
  readonly type: string;
  readonly title?: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly Target[];
  readonly options?: { readonly textMode?: string };
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string;
      readonly thresholds?: unknown;
      readonly custom?: { readonly stacking?: { readonly mode: string } };
    };
    readonly overrides: readonly Override[];
  };
  readonly transformations?: readonly { readonly id: string; readonly options: Organize }[];
}

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat?: string;
  readonly instant?: boolean;
  /** `heatmap`: the answers are cumulative buckets. */
  readonly format?: string;
}

interface Override {
  readonly matcher: { readonly id: string; readonly options: string };
  readonly properties: readonly { readonly id: string; readonly value: unknown }[];
}

interface Organize {
  readonly renameByName?: Readonly<Record<string, string>>;
  readonly excludeByName?: Readonly<Record<string, boolean>>;
  readonly indexByName?: Readonly<Record<string, number>>;
}

export interface Answer {
  readonly metric: Readonly<Record<string, string>>;
  /** One of them for an instant query. */
  readonly values: readonly (readonly [time: number, value: string])[];
}

/** Panel types that the page can draw; `row` is a heading. */
export const DRAWN = ["row", "stat", "gauge", "bargauge", "table", "timeseries", "heatmap"];

export type Ask = (query: Pick<PanelQuery, "expr" | "isInstant">) => Promise<readonly Answer[]>;

/** @throws Error for a panel of a type that the page cannot draw. */
export async function panelFor(panel: ClassicPanel, variables: VariableValues, ask: Ask) {
  const { type, title = "", gridPos, targets = [], fieldConfig, options } = panel;
  if (!DRAWN.includes(type)) throw new Error(`expected one of ${DRAWN.join(", ")}; got ${type}`);
  const found = await Promise.all(
    targets.map(async (target) => {
      const isInstant = target.instant ?? false;
      const answers = await ask({ expr: withValues(target.expr, variables), isInstant });
      return { target, answers };
    }),
  );
  const series = found.flatMap(({ target, answers }) =>
    answers.map((answer) => ({ name: nameOf(target, answer), answer })),
  );
  if (series.every(({ name }) => !Number.isNaN(bound(name)))) {
    series.sort((a, b) => bound(a.name) - bound(b.name)); // buckets
  }
  const times = [...new Set(series.flatMap(({ answer }) => answer.values.map(([time]) => time)))];
  times.sort((a, b) => a - b);
  const { defaults = {}, overrides = [] } = fieldConfig ?? {};
  const isCumulative = targets.some(({ format }) => format === "heatmap");
  const values = series.map(({ answer }) => aligned(answer, times));
  const shown = isCumulative ? values.map((row, i) => lessThan(row, values[i - 1])) : values;
  const latest = (row: readonly (number | null)[]) => row.findLast((value) => value !== null) ?? 0;
  return {
    ...{ type, title, gridPos, defaults, overrides, times },
    ...(type === "table" ? tableOf(panel, found) : {}),
    unit: defaults.unit ?? "none",
    stacking: defaults.custom?.stacking?.mode ?? "none",
    showsName: options?.textMode === "name",
    isEmpty: type !== "row" && series.length === 0,
    values: series.map(({ name }, i) => ({ name, value: latest(shown[i]!) })),
    series: series.map(({ name }, i) => ({ name, values: shown[i]! })),
  };
}

/** The upper bound of a bucket; NaN for other series. */
function bound(name: string): number {
  return Number(name.replace("Inf", "Infinity"));
}

function nameOf({ legendFormat = "", expr }: Target, { metric }: Answer): string {
  const name = legendFormat.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => metric[label] ?? "");
  return name === "" ? expr : name;
}

function aligned({ values }: Answer, times: readonly number[]): (number | null)[] {
  const byTime = new Map(values);
  return times.map((time) => {
    const value = Number(byTime.get(time) ?? Number.NaN);
    return Number.isFinite(value) ? value : null;
  });
}

/** What a cumulative bucket has more than the one below. */
function lessThan(row: readonly (number | null)[], below: readonly (number | null)[] = []) {
  return row.map((value, i) => (value === null ? null : value - (below[i] ?? 0)));
}

/** Rows by instance, a column for each query, as the panel's transformations name and order them. */
function tableOf(
  { transformations = [], fieldConfig }: ClassicPanel,
  found: readonly { readonly target: Target; readonly answers: readonly Answer[] }[],
) {
  const organize = transformations.find(({ id }) => id === "organize")?.options ?? {};
  const { renameByName = {}, excludeByName = {}, indexByName = {} } = organize;
  const fields = new Map<string, Map<string, string | number>>();
  const note = (field: string, instance: string, value: string | number) => {
    if (!fields.has(field)) fields.set(field, new Map());
    fields.get(field)!.set(instance, value);
  };
  for (const { target, answers } of found) {
    for (const { metric, values } of answers) {
      const instance = metric.instance ?? "";
      for (const [label, value] of Object.entries(metric)) note(label, instance, value);
      note(`Value #${target.refId}`, instance, Number(values.at(-1)![1]));
    }
  }
  const names = [...fields.keys()]
    .filter((name) => !excludeByName[name])
    .sort((a, b) => (indexByName[a] ?? 99) - (indexByName[b] ?? 99));
  const instances = [...(fields.get("instance")?.keys() ?? [])].sort();
  const unitOf = (name: string) =>
    fieldConfig?.overrides
      .find(({ matcher }) => matcher.options === name)
      ?.properties.find(({ id }) => id === "unit")?.value ?? "short";
  const columns = names.map((field) => {
    const name = renameByName[field] ?? field;
    return { name, unit: String(unitOf(name)) };
  });
  const rows = instances.map((one) => names.map((name) => fields.get(name)!.get(one) ?? ""));
  return { columns, rows };
}
