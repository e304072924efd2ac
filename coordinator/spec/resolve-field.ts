/** The grid of a sweep's fields. */
import type { DataSetShape } from "../../shared/datasets/registry.ts";
import { gridSchema } from "./field-schema.ts";
import type { SpecForm } from "./schema.ts";
import type { Sweep } from "./sweep.ts";

const DEFAULT_GRID = gridSchema.parse({});

/** null: no fields, or the data set's files have not been read. */
export function gridOf(field: SpecForm["field"], shape: DataSetShape | null): Sweep["field"] {
  const grid = field ?? (shape?.inputs === 2 ? DEFAULT_GRID : "none");
  if (grid === "none" || shape === null) return null;
  return { ...grid, region: grid.region ?? shape.region };
}
