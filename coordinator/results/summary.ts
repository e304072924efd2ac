/** The result of each cell, as a table: one row for each network and snapshot. */
import type { Snapshot } from "../../shared/cell.ts";
import { digestOf } from "../../shared/identity.ts";
import type { Plan } from "../plan/plan.ts";
import type { ParameterValue } from "../spec/sweep.ts";
import type { FieldStatistics } from "../store/cell-record.ts";
import { fieldRecord } from "../store/cell-record.ts";
import type { CellStatus } from "../store/cell-status.ts";
import { cellStatus, totals } from "../store/cell-status.ts";
import { SUMMARY_CSV, SUMMARY_JSON } from "../store/layout.ts";
import type { CellState, StoreState } from "../store/scan.ts";
import { sealJson } from "../store/sealed-json.ts";
import type { Store } from "../store/store.ts";
import { analysisNumbers } from "./analysis-columns.ts";
import { csvLine } from "./csv-line.ts";
import { namedParameters } from "./picture-axes.ts";

/** Numbers are null where there are none (yet). */
export interface SummaryRow extends Nullable<Omit<FieldStatistics, "saturated">> {
  readonly cell: string;
  readonly width: number;
  readonly depth: number;
  /** Widths of the hidden layers, joined by hyphens. */
  readonly hidden: string;
  /** null for imported networks. */
  readonly weightVariance: number | null;
  readonly logGain: number | null;
  readonly seed: number;
  /** Of the axes over parameters, by name; columns of their own in the table. */
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  readonly snapshot: Snapshot;
  /** Points where float32 saturates; a column of its own only in sweeps that have any. */
  readonly saturated?: number | null;
  /** Epochs of training in the snapshot. */
  readonly epoch: number | null;
  readonly status: CellStatus;
  readonly trainLoss: number | null;
  readonly trainAccuracy: number | null;
  readonly testLoss: number | null;
  readonly testAccuracy: number | null;
  /** Of analyses, by name; columns of their own in the table. */
  readonly analyses: Readonly<Record<string, number | null>>;
  /** Time in the thread. */
  readonly trainSeconds: number | null;
}

type Nullable<T> = { readonly [K in keyof T]: T[K] | null };

export function summaryRows(plan: Plan, state: StoreState): SummaryRow[] {
  const isSaturated = hasSaturation(plan, state);
  return [...state.cells]
    .sort((a, b) => a.cell.position - b.cell.position)
    .flatMap((cell) =>
      plan.snapshots.map((snapshot) => rowOf({ plan, state, isSaturated }, cell, snapshot)),
    );
}

/** Whether any field of the sweep has points where float32 saturates. */
export function hasSaturation({ field }: Plan, { cells }: StoreState): boolean {
  return cells.some(({ record }) =>
    record?.fields.some((one) => one.field === field?.id && one.statistics.saturated !== undefined),
  );
}

export function summaryCsv(rows: readonly SummaryRow[]): string {
  const flat = rows.map(flatRow);
  const columns = Object.keys(flat[0] ?? {});
  const lines = flat.map((row) => csvLine(columns.map((column) => row[column])));
  return `${[csvLine(columns), ...lines].join("\n")}\n`;
}

/** A row's columns by name, in their order: the parameters behind the axes that every sweep has, the analyses near the end. */
export type FlatRow = Readonly<Record<string, ParameterValue | null>>;

export function flatRow(row: SummaryRow): FlatRow {
  const entries = Object.entries(row).flatMap(([name, value]) => {
    if (name === "parameters") return Object.entries(row.parameters);
    return name === "analyses" ? Object.entries(row.analyses) : [[name, value] as const];
  });
  return Object.fromEntries(entries);
}

/** Writes `summary.csv`, and `summary.json` with the totals and the table's digest, which it returns. */
export async function writeSummary(plan: Plan, state: StoreState, store: Store): Promise<string> {
  const csv = summaryCsv(summaryRows(plan, state));
  const digest = digestOf(Buffer.from(csv));
  const content = { sweep: plan.sweep, engine: plan.engine, ...totals(plan, state) };
  await store.putFiles([
    [SUMMARY_CSV, csv],
    [SUMMARY_JSON, sealJson({ ...content, csv: digest })],
  ]);
  return digest;
}

interface RowContext {
  readonly plan: Plan;
  readonly state: StoreState;
  readonly isSaturated: boolean;
}

function rowOf(
  { plan, state, isSaturated }: RowContext,
  cellState: CellState,
  snapshot: Snapshot,
): SummaryRow {
  const { cell, record } = cellState;
  const { width, depth, hidden, weightVariance, logGain, seed } = cell.point;
  const epoch = record?.weights.find((weights) => weights.snapshot === snapshot)?.epoch ?? null;
  const field =
    record === null || plan.field === null
      ? undefined
      : fieldRecord(record, snapshot, plan.field.id)?.statistics;
  const at = (values: readonly (number | null)[] | undefined, index: number) =>
    (epoch === null ? null : values?.[index]) ?? null;
  const history = record?.history;
  return {
    cell: cell.id,
    width,
    depth,
    hidden: hidden.join("-"),
    weightVariance: finiteOrNull(weightVariance),
    logGain: finiteOrNull(logGain),
    seed,
    parameters: namedParameters(cell.point),
    snapshot,
    epoch,
    status: cellStatus(plan, state, cellState),
    trainLoss: at(history?.trainLoss, (epoch ?? 0) - 1),
    trainAccuracy: at(history?.trainAccuracy, (epoch ?? 0) - 1),
    testLoss: at(history?.testLoss, epoch ?? 0),
    testAccuracy: at(history?.testAccuracy, epoch ?? 0),
    lambda1Mean: field?.lambda1Mean ?? null,
    lambda1Std: field?.lambda1Std ?? null,
    lambda1Min: field?.lambda1Min ?? null,
    lambda1Max: field?.lambda1Max ?? null,
    lambda1Centre: field?.lambda1Centre ?? null,
    lambda1Boundary: field?.lambda1Boundary ?? null,
    notFinite: field?.notFinite ?? null,
    ...(isSaturated ? { saturated: field === undefined ? null : (field.saturated ?? 0) } : {}),
    analyses: analysisNumbers(plan, { cell: cell.id, record, snapshot }),
    trainSeconds: record?.provenance.seconds ?? null,
  };
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
