import { tangent } from "./grid-line.ts";
import { nearestOn, segmentIndex } from "./nearest-segment.ts";
import type { RidgeLine } from "./ridge-lines.ts";
import { meanAlong } from "./ridge-statistics.ts";
import { type GridField, zeroLines } from "./zero-lines.ts";

/**
 * How ridges lie relative to the decision boundary, where the output is zero. Means along the ridges,
 * weighted by length; NaN if there is no ridge or no boundary.
 */
export interface BoundaryStatistics {
  /** From the ridge to the nearest point of the boundary, in grid spacings. */
  readonly meanDistance: number;
  /** Mean |cos| of the angle between the ridge and the boundary at the nearest point. */
  readonly alignment: number;
}

/** Both on the same grid. */
export function boundaryStatistics(
  lines: readonly RidgeLine[],
  output: GridField,
): BoundaryStatistics {
  const boundary = segmentIndex(zeroLines(output), output.points);
  if (boundary.segments === 0) return { meanDistance: Number.NaN, alignment: Number.NaN };
  const nearest = new Map(
    lines.map((line) => [
      line,
      Array.from(line.column, (column, i) => nearestOn(boundary, column, line.row[i]!)),
    ]),
  );
  return {
    meanDistance: meanAlong(lines, (line, vertex) => nearest.get(line)![vertex]!.distance),
    alignment: meanAlong(lines, (line, vertex) => {
      const own = tangent(line, vertex);
      const other = nearest.get(line)![vertex]!.tangent;
      return Math.abs(own.x * other.x + own.y * other.y);
    }),
  };
}
