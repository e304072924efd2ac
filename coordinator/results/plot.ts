/** Figures of what a store holds. */
import { join } from "node:path";
import type { FieldPlan, Plan } from "../plan/plan.ts";
import type { Sweep } from "../spec/sweep.ts";
import { testAccuracy } from "../store/cell-record.ts";
import { readFieldArray } from "../store/field-zarr.ts";
import { fieldFolder } from "../store/layout.ts";
import type { LatticeFigure, LatticePanel } from "./figures/lattice-figure.ts";
import type { LineFigure } from "./figures/line-figure.ts";
import type { Exhibit, PictureAxis, Slice } from "./slices.ts";
import { varianceValue } from "./slices.ts";
import type { SummaryRow } from "./summary.ts";

export const QUANTITIES = ["L*lambda1", "lambda1", "output"] as const;
export type Quantity = (typeof QUANTITIES)[number];

export interface LatticeOptions {
  readonly quantity: Quantity;
  /** Hidden layer l of a field with `layers: all`, from 1; null: the last. */
  readonly layer: number | null;
  readonly limit: number | "auto";
  readonly directions: boolean;
  readonly boundary: boolean;
}

/** Reads a slice's fields and makes of them a figure to draw. */
export async function latticeFigure(
  directory: string,
  plan: Plan & { readonly field: FieldPlan },
  slice: Slice,
  { name, ...options }: LatticeOptions & { readonly name: string },
): Promise<LatticeFigure> {
  const { rows, columns, fixed } = slice;
  const { layer } = options;
  const layerLabel = layer === null ? [] : [`layer ${layer}`];
  const panels: LatticePanel[] = [];
  for (const exhibit of slice.exhibits) {
    const row = rows.values.indexOf(exhibit.values[rows.axis]);
    const column = columns.values.indexOf(exhibit.values[columns.axis]);
    panels.push({ row, column, ...(await panelOf(directory, plan, exhibit, options)) });
  }
  return {
    title: [name, ...fixed.map(([axis, value]) => axisLabel(axis, value)), ...layerLabel].join(
      " · ",
    ),
    rows: rows.values.map((value) => axisLabel(rows.axis, value)),
    columns: columns.values.map((value) => axisLabel(columns.axis, value)),
    region: plan.field.grid.region,
    panels,
    colour: { title: QUANTITY_TITLES[options.quantity], limit: options.limit },
    directions: options.directions,
    boundary: options.boundary,
  };
}

async function panelOf(
  directory: string,
  plan: Plan & { readonly field: FieldPlan },
  { cell: { cell, record, fields }, snapshot }: Exhibit,
  { quantity, layer, directions, boundary }: LatticeOptions,
): Promise<Omit<LatticePanel, "row" | "column">> {
  const { points } = plan.field.grid;
  const empty = { points, values: null, direction: null, output: null, label: "" };
  if (record === null) return { ...empty, note: "not trained" };
  if (record.status === "diverged") {
    return {
      ...empty,
      label: accuracyLabel(testAccuracy(record)),
      note: `diverged at epoch ${record.epochs}`,
    };
  }
  const state = fields.find((field) => field.snapshot === snapshot);
  if (state === undefined || !state.tiles.includes(1)) return { ...empty, note: "not computed" };
  const depth = record.physics.network.hidden.length;
  if (layer !== null && layer > depth) return { ...empty, note: `no layer ${layer}` };
  const folder = join(directory, fieldFolder(cell.id, snapshot, plan.field.id));
  const read = async (name: string) => layerOf(await readFieldArray(folder, name), points, layer);
  const output = quantity === "output" || boundary ? await readFieldArray(folder, "output") : null;
  const values = quantity === "output" ? output : await read("lambda1");
  const scale = quantity === "L*lambda1" ? (layer ?? depth) : 1;
  const epoch = record.weights.find((weights) => weights.snapshot === snapshot)!.epoch;
  return {
    points,
    values: values?.map((value) => scale * value) ?? null,
    direction: directions ? await read("direction") : null,
    output,
    label: accuracyLabel(record.history.testAccuracy[epoch] ?? Number.NaN),
    note: null,
  };
}

/** Layer l's [points, points] of [layers, points, points], or the last one's. */
function layerOf(array: Float32Array, points: number, layer: number | null): Float32Array {
  const size = points * points;
  const end = layer === null ? array.length : layer * size;
  return array.subarray(end - size, end);
}

export interface LineOptions {
  readonly quantity: LineQuantity;
  readonly against: NumericAxis;
  /** One line for each value of this axis; null: one line. */
  readonly series: PictureAxis | null;
  readonly logX: boolean;
}

export const NUMERIC_AXES = [
  "width",
  "depth",
  "weightVariance",
  "logGain",
  "seed",
  "epoch",
] as const;
export type NumericAxis = (typeof NUMERIC_AXES)[number];

export const LINE_QUANTITIES = {
  lambda1Mean: "mean λ₁",
  lambda1Std: "standard deviation of λ₁",
  lambda1Min: "smallest λ₁",
  lambda1Max: "largest λ₁",
  lambda1Centre: "λ₁ at the centre",
  lambda1Boundary: "λ₁ on the decision boundary",
  testAccuracy: "test accuracy",
  testLoss: "test loss",
  trainAccuracy: "training accuracy",
  trainLoss: "training loss",
  "L*lambda1Centre": "L λ₁ at the centre",
  "L*lambda1Boundary": "L λ₁ on the decision boundary",
} as const;
export type LineQuantity = keyof typeof LINE_QUANTITIES;

/** A summary quantity against an axis. */
export function lineFigure(
  sweep: Sweep,
  rows: readonly SummaryRow[],
  { quantity, against, series, logX }: LineOptions,
): LineFigure {
  const points = rows.flatMap((row) => {
    const x = row[against];
    const y = quantityOf(row, quantity);
    if (x === null || y === null) return [];
    if (series === null) return [{ x, y, series: "" }];
    const value = series === "weightVariance" ? varianceValue(sweep, row) : String(row[series]);
    return [{ x, y, series: axisLabel(series, value) }];
  });
  const x = { title: AXIS_TITLES[against], log: logX };
  return { title: sweep.name, x, y: { title: LINE_QUANTITIES[quantity] }, points };
}

function quantityOf(row: SummaryRow, quantity: LineQuantity): number | null {
  if (!quantity.startsWith("L*")) return row[quantity as keyof SummaryRow] as number | null;
  const value = row[quantity.slice(2) as "lambda1Centre" | "lambda1Boundary"];
  return value === null ? null : row.depth * value;
}

const QUANTITY_TITLES: Record<Quantity, string> = {
  "L*lambda1": "L λ₁",
  lambda1: "λ₁",
  output: "output",
};

const AXIS_TITLES: Record<NumericAxis, string> = {
  width: "width N",
  depth: "depth L",
  weightVariance: "initial weight variance σ_w²",
  logGain: "ln(G N σ_w²)",
  seed: "seed",
  epoch: "epoch",
};

function axisLabel(axis: PictureAxis, value: string): string {
  if (value === "") return "";
  if (axis === "width") return `N = ${value}`;
  if (axis === "depth") return `L = ${value}`;
  if (axis === "hidden") return value;
  if (axis === "seed") return `seed ${value}`;
  if (axis === "snapshot") return value === "end" ? "after training" : epochLabel(value);
  if (value === "critical") return value;
  const gain = /^logGain (.*)/.exec(value)?.[1];
  return gain === undefined ? `σ_w² = ${short(value)}` : `ln(GNσ_w²) = ${short(gain)}`;
}

/** At most four digits, and a minus sign that is one. */
function short(value: string): string {
  return String(Number(Number(value).toPrecision(4))).replace("-", "−");
}

function epochLabel(snapshot: string): string {
  return snapshot === "0" ? "initial" : `epoch ${snapshot}`;
}

function accuracyLabel(accuracy: number): string {
  return Number.isFinite(accuracy) ? `${(100 * accuracy).toFixed(1)} %` : "";
}
