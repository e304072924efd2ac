import { zeroLines } from "../../../shared/numerics/ridges/zero-lines.ts";
import type { SquareField } from "./field-raster.ts";

/** A point of the unit square, y upwards. */
export type UnitPoint = readonly [x: number, y: number];

/**
 * The lines on which a field changes sign, as polylines with positive values on their left; a closed line
 * repeats its first point. Squares with a NaN are left out.
 */
export function zeroContour({ points, values }: SquareField): UnitPoint[][] {
  const unit = (coordinate: number) => (coordinate + 0.5) / points;
  return zeroLines({ points, values }).map(({ column, row }) =>
    Array.from(column, (x, i): UnitPoint => [unit(x), unit(row[i]!)]),
  );
}
