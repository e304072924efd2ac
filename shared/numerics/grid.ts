/** The points of a field. */

/**
 * Coordinates of a grid along one axis: the centres of `points` equal parts of the range, in float64.
 *
 * x_i = x_0 + (i + ½)(x_1 − x_0)/n, written so that a range symmetric about 0 has points symmetric
 * about 0 to the last bit.
 */
export function gridCoordinates(
  [from, to]: readonly [from: number, to: number],
  points: number,
): Float64Array {
  const coordinates = new Float64Array(points);
  for (let i = 0; i < points; i++) {
    coordinates[i] = (from * (points - i - 0.5) + to * (i + 0.5)) / points;
  }
  return coordinates;
}

/** A rectangle of a grid, in points. */
export interface GridSlice {
  /** First column and row. */
  readonly column: number;
  readonly row: number;
  readonly columns: number;
  readonly rows: number;
}

/** Coordinates of the columns and rows of one slice of a grid of points × points. */
export function sliceCoordinates(
  grid: {
    readonly region: {
      readonly x: readonly [from: number, to: number];
      readonly y: readonly [from: number, to: number];
    };
    readonly points: number;
  },
  { column, row, columns, rows }: GridSlice,
): { x: Float64Array; y: Float64Array } {
  return {
    x: gridCoordinates(grid.region.x, grid.points).slice(column, column + columns),
    y: gridCoordinates(grid.region.y, grid.points).slice(row, row + rows),
  };
}
