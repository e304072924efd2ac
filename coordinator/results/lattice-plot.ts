/** Figures of stored fields. */
import { join } from "node:path";
import type { Region } from "../../shared/cell.ts";
import { decisionOf } from "../../shared/numerics/decision.ts";
import type { NetworkShape } from "../../shared/numerics/network.ts";
import type { AnalysisPlan, FieldPlan, Plan } from "../plan/plan.ts";
import { fieldRecord, testAccuracy } from "../store/cell-record.ts";
import { readFieldArray } from "../store/field-zarr.ts";
import { fieldFolder } from "../store/layout.ts";
import type { LatticeFigure, LatticePanel } from "./figures/lattice-figure.ts";
import type { UnitPoint } from "./figures/zero-contour.ts";
import { axisLabel } from "./picture-axes.ts";
import type { Exhibit, Slice } from "./slices.ts";
import type { Ridge } from "./stored-ridges.ts";
import { storedRidges } from "./stored-ridges.ts";

/** The last three of planes alone. */
export const QUANTITIES = [
  "L*lambda1",
  "lambda1",
  "output",
  "lambda2",
  "planeLambda1",
  "L*planeLambda1",
] as const;
export type Quantity = (typeof QUANTITIES)[number];

export interface LatticeOptions {
  readonly quantity: Quantity;
  /** Hidden layer l of a field with `layers: all`, from 1; null: the last. */
  readonly layer: number | null;
  readonly limit: number | "auto";
  readonly directions: boolean;
  readonly boundary: boolean;
  /** The analysis whose ridges are drawn; null: none. */
  readonly ridges: AnalysisPlan | null;
}

/** A stored sweep that has fields. */
export interface DrawnSweep {
  readonly name: string;
  readonly directory: string;
  readonly plan: Plan & { readonly field: FieldPlan };
}

/** Reads a slice's fields and makes a figure of them. */
export async function latticeFigure(
  sweep: DrawnSweep,
  slice: Slice,
  options: LatticeOptions,
): Promise<LatticeFigure> {
  const { name, plan } = sweep;
  const { rows, columns, fixed } = slice;
  const { layer } = options;
  const layerLabel = layer === null ? [] : [`layer ${layer}`];
  const panels: LatticePanel[] = [];
  for (const exhibit of slice.exhibits) {
    const row = rows.values.indexOf(exhibit.values[rows.axis]!);
    const column = columns.values.indexOf(exhibit.values[columns.axis]!);
    panels.push({ row, column, ...(await panelOf(sweep, exhibit, options)) });
  }
  return {
    title: [
      name,
      ...fixed.map(([axis, value]) => axisLabel(axis, value)),
      ...layerLabel,
      ...saturationNote(sweep, slice),
    ].join(" · "),
    rows: rows.values.map((value) => axisLabel(rows.axis, value)),
    columns: columns.values.map((value) => axisLabel(columns.axis, value)),
    region: plan.field.grid.region,
    panels,
    colour: { title: QUANTITY_TITLES[options.quantity], limit: options.limit },
    directions: options.directions,
  };
}

async function panelOf(
  { directory, plan }: DrawnSweep,
  { cell: state, snapshot }: Exhibit,
  { quantity, layer, directions, boundary, ridges }: LatticeOptions,
): Promise<Omit<LatticePanel, "row" | "column">> {
  const { cell, record, fields } = state;
  const { points, region } = plan.field.grid;
  const empty = { points, values: null, direction: null, boundaries: [], label: "" };
  if (record === null) return { ...empty, note: "not trained" };
  if (record.status === "diverged") {
    return {
      ...empty,
      label: accuracyLabel(testAccuracy(record)),
      note: `diverged at epoch ${record.epochs}`,
    };
  }
  const field = fields.find((one) => one.snapshot === snapshot);
  if (field === undefined || !field.tiles.includes(1)) return { ...empty, note: "not computed" };
  const depth = record.physics.network.hidden.length;
  if (layer !== null && layer > depth) return { ...empty, note: `no layer ${layer}` };
  const folder = join(directory, fieldFolder(cell.id, snapshot, plan.field.id));
  const read = async (name: string) => layerOf(await readFieldArray(folder, name), points, layer);
  const output = quantity === "output" || boundary ? await readFieldArray(folder, "output") : null;
  const values = quantity === "output" ? output : await read(quantity.replace("L*", ""));
  const scale = quantity.startsWith("L*") ? (layer ?? depth) : 1;
  const epoch = record.weights.find((weights) => weights.snapshot === snapshot)!.epoch;
  return {
    points,
    values: values?.map((value) => scale * value) ?? null,
    direction: directions ? await read("direction") : null,
    boundaries: boundary ? boundariesOf(output!, record.physics.network) : [],
    ...(ridges === null
      ? {}
      : {
          ridges: inUnits(
            region,
            await storedRidges(directory, state, { analysis: ridges, snapshot }),
          ),
        }),
    label: accuracyLabel(record.history.testAccuracy[epoch] ?? Number.NaN),
    note: null,
  };
}

function inUnits({ x, y }: Region, ridges: readonly Ridge[]): UnitPoint[][] {
  return ridges.map((ridge) =>
    ridge.map(([a, b]): UnitPoint => [(a - x[0]) / (x[1] - x[0]), (b - y[0]) / (y[1] - y[0])]),
  );
}

/** Fields that are 0 on the decision boundary: of several classes, one that is positive where each but the last is decided. */
function boundariesOf(output: Float32Array, network: NetworkShape): Float32Array[] {
  if (decisionOf(network) === "sign") return [output];
  return Array.from({ length: network.outputs - 1 }, (_, label) =>
    output.map((value) => (Number.isNaN(value) ? value : value === label ? 1 : -1)),
  );
}

/** Layer l's [points, points] of [layers, points, points], or the last one's. */
function layerOf(array: Float32Array, points: number, layer: number | null): Float32Array {
  const size = points * points;
  const end = layer === null ? array.length : layer * size;
  return array.subarray(end - size, end);
}

const QUANTITY_TITLES: Record<Quantity, string> = {
  "L*lambda1": "L λ₁",
  lambda1: "λ₁",
  output: "output",
  lambda2: "λ₂",
  planeLambda1: "λ₁ within the plane",
  "L*planeLambda1": "L λ₁ within the plane",
};

/** In how much of the fields a float32 engine's exponents are too large. */
function saturationNote({ plan }: DrawnSweep, { exhibits }: Slice): string[] {
  const counts = exhibits.map(({ cell: { record }, snapshot }) => {
    const field = record && fieldRecord(record, snapshot, plan.field.id);
    return field?.statistics.saturated ?? 0;
  });
  const most = Math.max(0, ...counts);
  if (most === 0) return [];
  const share = (100 * most) / plan.field.grid.points ** 2;
  return [`up to ${Number(share.toPrecision(2))} % of a field saturated`];
}

function accuracyLabel(accuracy: number): string {
  return Number.isFinite(accuracy) ? `${(100 * accuracy).toFixed(1)} %` : "";
}
