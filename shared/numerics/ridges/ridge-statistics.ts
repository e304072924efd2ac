import { tangent, vertexWeights } from "./grid-line.ts";
import type { RidgeLine } from "./ridge-lines.ts";

/** What a field's ridges amount to. Means are weighted by length, and NaN if there is no ridge. */
export interface RidgeStatistics {
  readonly lines: number;
  /** Of all lines, in grid spacings. */
  readonly length: number;
  /** Of −ξᵀHξ, per squared grid spacing. */
  readonly meanSharpness: number;
  /** Two for every line that is not closed. */
  readonly endpoints: number;
  /** Mean |cos| of the angle between ξ and the ridge's normal: 1 where stretching is across the ridge. */
  readonly normalAlignment: number;
}

export function ridgeStatistics(lines: readonly RidgeLine[]): RidgeStatistics {
  return {
    lines: lines.length,
    length: lines.reduce((sum, line) => sum + line.length, 0),
    meanSharpness: meanAlong(lines, (line, vertex) => line.sharpness[vertex]!),
    endpoints: 2 * lines.filter((line) => !line.isClosed).length,
    normalAlignment: meanAlong(lines, acrossRidge),
  };
}

/** Mean over all vertices, each weighted by half of the segments that meet in it; NaN without a line. */
export function meanAlong(
  lines: readonly RidgeLine[],
  quantity: (line: RidgeLine, vertex: number) => number,
): number {
  let sum = 0;
  let total = 0;
  for (const line of lines) {
    vertexWeights(line).forEach((weight, vertex) => {
      sum += weight * quantity(line, vertex);
      total += weight;
    });
  }
  return sum / total;
}

/** |cos| of the angle between ξ and the normal, which is the tangent turned by a right angle. */
function acrossRidge(line: RidgeLine, vertex: number): number {
  const { x, y } = tangent(line, vertex);
  const angle = line.direction[vertex]!;
  return Math.abs(y * Math.cos(angle) - x * Math.sin(angle));
}
