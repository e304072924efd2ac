import { join } from "node:path";
import type { Plan } from "../../plan/plan.ts";
import type { Sweep } from "../../spec/sweep.ts";
import type { FieldArray } from "../../store/field-zarr.ts";
import { arraysOf, readFieldArray } from "../../store/field-zarr.ts";
import { fieldFolder } from "../../store/layout.ts";
import type { StoreState } from "../../store/scan.ts";
import type { SummaryRow } from "../summary.ts";
import { summaryRows } from "../summary.ts";

/** A sweep and what its directory contains of it. */
export interface StoredSweepState {
  readonly directory: string;
  readonly sweep: Sweep;
  readonly plan: Plan;
  readonly state: StoreState;
}

/** One network's field at one snapshot. */
export interface StoredField {
  /** The network and the snapshot. */
  readonly row: SummaryRow;
  /** The hidden layers of `lambda1` and `direction`. */
  readonly layers: readonly number[];
  /** By name; [layers, points, points], the output [points, points]; NaN where not finite, or not computed yet. */
  readonly arrays: Readonly<Partial<Record<FieldArray, Float32Array>>>;
}

/**
 * Every field of which anything is stored, one at a time, in the order of the cells.
 * @throws StoreError if a chunk is damaged, or the signal's reason.
 */
export async function* storedFields(
  { directory, plan, state }: StoredSweepState,
  { signal }: { signal: AbortSignal },
): AsyncGenerator<StoredField> {
  if (plan.field === null) return;
  const { id, grid } = plan.field;
  const fields = new Map(state.cells.map(({ cell, fields }) => [cell.id, fields]));
  for (const row of summaryRows(plan, state)) {
    signal.throwIfAborted();
    const { cell, depth, snapshot } = row;
    const field = fields.get(cell)?.find((field) => field.snapshot === snapshot);
    if (!field?.tiles.includes(1)) continue;
    const folder = join(directory, fieldFolder(cell, snapshot, id));
    const layers = Array.from({ length: depth }, (_, l) => l + 1);
    yield {
      row,
      layers: grid.layers === "all" ? layers : [depth],
      arrays: await readArrays(folder, arraysOf(grid)),
    };
  }
}

async function readArrays(
  folder: string,
  names: readonly FieldArray[],
): Promise<StoredField["arrays"]> {
  const arrays: Partial<Record<FieldArray, Float32Array>> = {};
  for (const name of names) arrays[name] = await readFieldArray(folder, name);
  return arrays;
}
