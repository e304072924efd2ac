import type { GridLine } from "./grid-line.ts";
import { passages, sidesOf } from "./marching-square.ts";

/** A scalar on a square grid, row-major [points, points]. */
export interface GridField {
  readonly points: number;
  readonly values: Float32Array;
}

/**
 * The lines on which a field changes sign (marching squares, linear interpolation), with positive values
 * on their left. Squares with a NaN are left out.
 */
export function zeroLines({ points, values }: GridField): GridLine[] {
  // Through the squares, every crossed edge of the grid leads to one other edge, and follows one.
  const next = new Map<number, number>();
  for (let row = 0; row + 1 < points; row++) {
    for (let column = 0; column + 1 < points; column++) {
      linkCrossings(next, { points, values }, row * points + column);
    }
  }
  return chains(next).map((chain) => lineOf(chain, { points, values }));
}

/** Joins the crossed sides of the square whose lower left corner is `corner`. */
function linkCrossings(
  next: Map<number, number>,
  { points, values }: GridField,
  corner: number,
): void {
  const above = corner + points;
  const found = passages([
    values[corner]!,
    values[corner + 1]!,
    values[above + 1]!,
    values[above]!,
  ]);
  if (found.length === 0) return;
  const sides = sidesOf(corner, points);
  for (const [from, to] of found) next.set(sides[from]!, sides[to]!);
}

/** The paths of a map in which no two keys lead to the same value: open ones first, then loops. */
function chains(next: Map<number, number>): number[][] {
  const reached = new Set(next.values());
  const starts = [...next.keys()].filter((edge) => !reached.has(edge));
  const paths: number[][] = [];
  for (const start of [...starts, ...next.keys()]) {
    const path = [start];
    for (let edge = start, following: number | undefined; ; edge = following) {
      following = next.get(edge);
      if (following === undefined) break;
      next.delete(edge);
      path.push(following);
    }
    if (path.length > 1) paths.push(path);
  }
  return paths;
}

/** Edge 2i leads from point i to its right neighbour, edge 2i + 1 to its upper one. */
function lineOf(chain: readonly number[], { points, values }: GridField): GridLine {
  const column = new Float64Array(chain.length);
  const row = new Float64Array(chain.length);
  chain.forEach((edge, i) => {
    const from = edge >> 1;
    const isUpward = edge % 2 === 1;
    const a = values[from]!;
    const b = values[from + (isUpward ? points : 1)]!;
    const t = a / (a - b);
    column[i] = (from % points) + (isUpward ? 0 : t);
    row[i] = Math.floor(from / points) + (isUpward ? t : 0);
  });
  return { column, row, isClosed: chain[0] === chain.at(-1) };
}
