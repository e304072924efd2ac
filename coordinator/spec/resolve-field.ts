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
  const { plane, region, ...rest } = grid;
  if (plane === undefined) return { ...rest, region: region ?? shape.region };
  return { ...rest, region: region ?? AROUND, plane };
}

/** A triangle with a side from (0, 0) to (1, 0). */
const AROUND = { x: [-0.5, 1.5], y: [-0.5, 1.5] } as const;
