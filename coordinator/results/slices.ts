/** Takes a sweep's cells apart into two-dimensional pictures: two axes, and one figure for each rest. */
import type { Snapshot } from "../../shared/cell.ts";
import { UsageError } from "../../shared/errors.ts";
import type { Plan } from "../plan/plan.ts";
import type { Sweep } from "../spec/sweep.ts";
import type { CellState } from "../store/scan.ts";

/** What can be laid along rows or columns, or held fixed. */
export const PICTURE_AXES = [
  "width",
  "depth",
  "hidden",
  "weightVariance",
  "snapshot",
  "seed",
] as const;
export type PictureAxis = (typeof PICTURE_AXES)[number];

/** One network at one snapshot, with its value on every axis as people read it. */
export interface Exhibit {
  readonly cell: CellState;
  readonly snapshot: Snapshot;
  readonly values: Readonly<Record<PictureAxis, string>>;
}

export interface Slice {
  readonly rows: { readonly axis: PictureAxis; readonly values: readonly string[] };
  readonly columns: { readonly axis: PictureAxis; readonly values: readonly string[] };
  /** What the other axes of the sweep that vary are held at. */
  readonly fixed: readonly (readonly [axis: PictureAxis, value: string])[];
  readonly exhibits: readonly Exhibit[];
}

export interface SliceOptions {
  readonly rows?: PictureAxis;
  readonly columns?: PictureAxis;
  /** Keep only exhibits with these values. */
  readonly only?: Partial<Readonly<Record<PictureAxis, string>>>;
}

/**
 * @throws UsageError if rows and columns are the same, or nothing has the values asked for.
 */
export function slicesOf(
  { sweep, plan, cells }: { sweep: Sweep; plan: Plan; cells: readonly CellState[] },
  options: SliceOptions = {},
): Slice[] {
  const all = exhibitsOf(sweep, plan, cells);
  const valuesOf = (exhibits: readonly Exhibit[], axis: PictureAxis) => [
    ...new Set(exhibits.map(({ values }) => values[axis])),
  ];
  const only = Object.entries(options.only ?? {}) as [PictureAxis, string][];
  for (const [axis, value] of only) {
    const found = valuesOf(all, axis);
    if (found.includes(value)) continue;
    throw new UsageError(`expected ${axis} to be one of ${found.join(", ")}; got ${value}`);
  }
  const kept = all.filter(({ values }) => only.every(([axis, value]) => values[axis] === value));
  const varying = PICTURE_AXES.filter((axis) => valuesOf(kept, axis).length > 1);
  const [rows, columns] = chooseAxes(varying, options);
  const rest = PICTURE_AXES.filter(
    (axis) => axis !== rows && axis !== columns && valuesOf(all, axis).length > 1,
  );
  return grouped(kept, rest).map((exhibits) => ({
    rows: { axis: rows, values: valuesOf(kept, rows) },
    columns: { axis: columns, values: valuesOf(kept, columns) },
    fixed: rest.map((axis) => [axis, exhibits[0]!.values[axis]] as const),
    exhibits,
  }));
}

/** Rows N and columns L as in the letter's Fig. 2, where they vary; else the first axes that do. */
function chooseAxes(
  varying: readonly PictureAxis[],
  { rows, columns }: SliceOptions,
): [PictureAxis, PictureAxis] {
  if (rows !== undefined && rows === columns) {
    throw new UsageError(`expected rows and columns to be two axes, got ${rows} for both`);
  }
  const isLattice = varying.includes("width") || varying.includes("depth");
  const byDefault: readonly PictureAxis[] = isLattice
    ? ["width", "depth"]
    : [...varying, "width", "depth"];
  const row = rows ?? byDefault.find((axis) => axis !== columns)!;
  const column = columns ?? byDefault.find((axis) => axis !== row)!;
  return [row, column];
}

function grouped(exhibits: readonly Exhibit[], axes: readonly PictureAxis[]): Exhibit[][] {
  const groups = new Map<string, Exhibit[]>();
  for (const exhibit of exhibits) {
    const key = axes.map((axis) => exhibit.values[axis]).join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [exhibit]);
    else group.push(exhibit);
  }
  return [...groups.values()];
}

function exhibitsOf(sweep: Sweep, plan: Plan, cells: readonly CellState[]): Exhibit[] {
  const inOrder = [...cells].sort((a, b) => a.cell.position - b.cell.position);
  return inOrder.flatMap((cell) =>
    plan.snapshots.map((snapshot) => {
      const { width, depth, hidden, weightVariance, logGain, seed } = cell.cell.point;
      const isExplicit = sweep.axes.layers.kind === "explicit";
      const values = {
        width: isExplicit ? "" : String(width),
        depth: isExplicit ? "" : String(depth),
        hidden: isExplicit ? hidden.join("-") : "",
        weightVariance: varianceValue(sweep, { weightVariance, logGain }),
        seed: String(seed),
        snapshot: String(snapshot),
      };
      return { cell, snapshot, values };
    }),
  );
}

/** A value on the axis of weight variances; with a fixed gain the variance itself goes with the width. */
export function varianceValue(
  { axes }: Sweep,
  { weightVariance, logGain }: { weightVariance: number; logGain: number },
): string {
  if (axes.weightVariance.kind === "absolute") return String(weightVariance);
  return logGain === 0 ? "critical" : `logGain ${logGain}`;
}
