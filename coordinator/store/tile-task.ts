import type { FieldTask } from "../../shared/messages.ts";
import type { Cell, Plan } from "../plan/plan.ts";
import { fieldTask } from "../plan/plan.ts";
import type { FieldDescription } from "./field-zarr.ts";
import { tilesPerSide } from "./field-zarr.ts";

/** The task for a field's `index`-th tile, counted row by row. */
export function tileTask(
  plan: Plan,
  cell: Cell,
  { description, index }: { readonly description: FieldDescription; readonly index: number },
): FieldTask {
  const { snapshot, weights, tile: side } = description;
  const across = tilesPerSide(description);
  const place = { row: Math.floor(index / across), column: index % across };
  return fieldTask(plan, cell, { snapshot, weights, side, ...place });
}
