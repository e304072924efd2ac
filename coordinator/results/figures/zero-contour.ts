import type { SquareField } from "./field-raster.ts";

/** A point of the unit square, y upwards. */
export type UnitPoint = readonly [x: number, y: number];

/**
 * The lines on which a field changes sign (marching squares, linear interpolation), as polylines with
 * positive values on their left; a closed line repeats its first point. Squares with a NaN are left out.
 */
export function zeroContour({ points, values }: SquareField): UnitPoint[][] {
  // Through the squares, every crossed edge of the grid leads to one other edge, and follows one.
  const next = new Map<number, number>();
  for (let row = 0; row + 1 < points; row++) {
    for (let column = 0; column + 1 < points; column++) {
      linkCrossings(next, { points, values }, row * points + column);
    }
  }
  const crossing = (edge: number) => interpolate({ points, values }, edge);
  return chains(next).map((chain) => chain.map(crossing));
}

/**
 * Joins the crossed sides of the square whose lower left corner is `corner`. Going round it
 * anticlockwise, a line enters where the sign turns negative and leaves where it turns positive.
 */
function linkCrossings(
  next: Map<number, number>,
  { points, values }: SquareField,
  corner: number,
): void {
  const corners = [corner, corner + 1, corner + points + 1, corner + points];
  const around = corners.map((i) => values[i]!);
  const mean = around.reduce((sum, value) => sum + value) / 4;
  if (Number.isNaN(mean)) return;
  const edges = [2 * corner, 2 * (corner + 1) + 1, 2 * (corner + points), 2 * corner + 1];
  const crossed = [0, 1, 2, 3].filter((k) => around[k]! > 0 !== around[(k + 1) % 4]! > 0);
  crossed.forEach((k, i) => {
    if (around[k]! <= 0) return;
    // Only a saddle has four crossings: its middle says which pair of corners is connected.
    const partner = crossed.at((i + (mean > 0 ? 1 : -1)) % crossed.length)!;
    next.set(edges[k]!, edges[partner]!);
  });
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
function interpolate({ points, values }: SquareField, edge: number): UnitPoint {
  const from = edge >> 1;
  const isUpward = edge % 2 === 1;
  const a = values[from]!;
  const b = values[from + (isUpward ? points : 1)]!;
  const t = a / (a - b);
  const x = (from % points) + 0.5 + (isUpward ? 0 : t);
  const y = Math.floor(from / points) + 0.5 + (isUpward ? t : 0);
  return [x / points, y / points];
}
