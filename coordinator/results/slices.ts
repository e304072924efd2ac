/** Divides a sweep's cells into two-dimensional pictures: two axes, and one figure for each value of the others. */
import type { Snapshot } from "../../shared/cell.ts";
import { UsageError } from "../../shared/errors.ts";
import type { Plan } from "../plan/plan.ts";
import type { Sweep } from "../spec/sweep.ts";
import type { CellState } from "../store/scan.ts";
import type { PictureValues } from "./picture-axes.ts";
import { isValue, pictureAxes, pictureAxis, pictureValues } from "./picture-axes.ts";

/** One network at one snapshot, with its value on every axis as people read it. */
export interface Exhibit {
  readonly cell: CellState;
  readonly snapshot: Snapshot;
  readonly values: PictureValues;
}

export interface Slice {
  readonly rows: { readonly axis: string; readonly values: readonly string[] };
  readonly columns: { readonly axis: string; readonly values: readonly string[] };
  /** The values at which the other varying axes of the sweep are fixed. */
  readonly fixed: readonly (readonly [axis: string, value: string])[];
  readonly exhibits: readonly Exhibit[];
}

export interface SliceOptions {
  /** Names or paths of axes. */
  readonly rows?: string | undefined;
  readonly columns?: string | undefined;
  /** Keep only exhibits with these values. */
  readonly only?: PictureValues;
}

/**
 * @throws UsageError if rows and columns are the same, or not axes of the sweep, or nothing has the requested values.
 */
export function slicesOf(
  { sweep, plan, cells }: { sweep: Sweep; plan: Plan; cells: readonly CellState[] },
  options: SliceOptions = {},
): Slice[] {
  const all = exhibitsOf(sweep, plan, cells);
  const axes = pictureAxes(sweep);
  const kept = withValues(sweep, all, options.only ?? {});
  const varying = axes.filter((axis) => valuesOf(kept, axis).length > 1);
  const [rows, columns] = chooseAxes(varying, {
    rows: options.rows && pictureAxis(sweep, options.rows),
    columns: options.columns && pictureAxis(sweep, options.columns),
  });
  const rest = axes.filter(
    (axis) => axis !== rows && axis !== columns && valuesOf(all, axis).length > 1,
  );
  const sides = {
    rows: { axis: rows, values: valuesOf(kept, rows) },
    columns: { axis: columns, values: valuesOf(kept, columns) },
  };
  return grouped(kept, rest).map((exhibits) => ({
    ...sides,
    fixed: rest.map((axis) => [axis, exhibits[0]!.values[axis]!] as const),
    exhibits,
  }));
}

/**
 * Those that have these values, in any notation.
 * @throws UsageError if there are none, or the sweep has no such axis.
 */
export function withValues<T extends { readonly values: PictureValues }>(
  sweep: Sweep,
  all: readonly T[],
  only: PictureValues,
): T[] {
  const asked = Object.entries(only).map(
    ([word, value]) => [pictureAxis(sweep, word), value] as const,
  );
  for (const [axis, value] of asked) {
    const found = valuesOf(all, axis);
    if (found.some((one) => isValue(value, one))) continue;
    throw new UsageError(`expected ${axis} to be one of ${found.join(", ")}; got ${value}`);
  }
  const kept = all.filter(({ values }) =>
    asked.every(([axis, value]) => isValue(value, values[axis]!)),
  );
  if (kept.length > 0 || asked.length === 0) return kept;
  const named = asked.map(([axis, value]) => `${axis}=${value}`).join(", ");
  throw new UsageError(`expected networks of the sweep, found none with ${named}`);
}

/** Each value once, in the order in which they come. */
export function valuesOf(
  all: readonly { readonly values: PictureValues }[],
  axis: string,
): string[] {
  return [...new Set(all.map(({ values }) => values[axis]!))];
}

/** Rows N and columns L as in the letter's Fig. 2, if they vary; else the first axes that do. */
function chooseAxes(
  varying: readonly string[],
  { rows, columns }: Pick<SliceOptions, "rows" | "columns">,
): [string, string] {
  if (rows !== undefined && rows === columns) {
    throw new UsageError(`expected rows and columns to be two axes, got ${rows} for both`);
  }
  const isLattice = varying.includes("width") || varying.includes("depth");
  const byDefault: readonly string[] = isLattice
    ? ["width", "depth"]
    : [...varying, "width", "depth"];
  const row = rows ?? byDefault.find((axis) => axis !== columns)!;
  const column = columns ?? byDefault.find((axis) => axis !== row)!;
  return [row, column];
}

function grouped(exhibits: readonly Exhibit[], axes: readonly string[]): Exhibit[][] {
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
      const values = pictureValues(sweep, { point: cell.cell.point, snapshot });
      return { cell, snapshot, values };
    }),
  );
}
