/**
 * A polyline in grid coordinates: column along x and row along y, fractions of a spacing included, so that
 * point (i, j) of the grid is row i, column j.
 */
export interface GridLine {
  readonly column: Float64Array;
  readonly row: Float64Array;
  /** A closed line repeats its first vertex. */
  readonly isClosed: boolean;
}

/** Length of each of the line's segments, in grid spacings: one fewer than vertices. */
export function segmentLengths({ column, row }: GridLine): Float64Array {
  const lengths = new Float64Array(Math.max(0, column.length - 1));
  for (let i = 0; i < lengths.length; i++) {
    const x = column[i + 1]! - column[i]!;
    const y = row[i + 1]! - row[i]!;
    lengths[i] = Math.sqrt(x * x + y * y);
  }
  return lengths;
}

/** The length that each vertex stands for: half of the segments that meet in it. */
export function vertexWeights(line: GridLine): Float64Array {
  const weights = new Float64Array(line.column.length);
  segmentLengths(line).forEach((length, i) => {
    weights[i]! += length / 2;
    weights[i + 1]! += length / 2;
  });
  return weights;
}

/** Unit tangent at a vertex, by the chord between its neighbours; zero where these coincide. */
export function tangent(line: GridLine, vertex: number): { x: number; y: number } {
  const { column, row, isClosed } = line;
  const last = column.length - 1;
  const before = vertex > 0 ? vertex - 1 : isClosed ? last - 1 : 0;
  const after = vertex < last ? vertex + 1 : isClosed ? 1 : last;
  const x = column[after]! - column[before]!;
  const y = row[after]! - row[before]!;
  const length = Math.sqrt(x * x + y * y);
  return length > 0 ? { x: x / length, y: y / length } : { x: 0, y: 0 };
}
