import { type GridLine, tangent } from "./grid-line.ts";

/**
 * The segments of lines that pass through the squares of a grid, sorted into square buckets so that the
 * nearest one is found without looking at all.
 */
export interface SegmentIndex {
  /** How many there are. */
  readonly segments: number;
  /** By segment, where it begins and ends: x and y of either, in grid spacings. */
  readonly places: Float64Array;
  /** By segment, the line's unit tangents at either end: x and y of each. */
  readonly tangents: Float64Array;
  /** Buckets a side. */
  readonly side: number;
  /** By bucket, the segments in it. */
  readonly buckets: readonly number[][];
}

/** Side of a bucket in grid spacings; a whole number, so that a segment within a square is in one bucket. */
const BUCKET = 8;

export interface NearestPoint {
  /** In grid spacings. */
  readonly distance: number;
  /** Of unit length, except where the line turns sharply. */
  readonly tangent: { readonly x: number; readonly y: number };
}

/** Every segment must lie within one square of the grid, as those of `zeroLines` do. */
export function segmentIndex(lines: readonly GridLine[], points: number): SegmentIndex {
  const side = Math.ceil(points / BUCKET);
  const buckets = Array.from({ length: side * side }, (): number[] => []);
  const places: number[] = [];
  const tangents: number[] = [];
  for (const line of lines) {
    const ends = Array.from(line.column, (_, i) => tangent(line, i));
    for (let i = 0; i + 1 < ends.length; i++) {
      const [x0, x1] = [line.column[i]!, line.column[i + 1]!];
      const [y0, y1] = [line.row[i]!, line.row[i + 1]!];
      const bucket = bucketOf((y0 + y1) / 2) * side + bucketOf((x0 + x1) / 2);
      buckets[bucket]!.push(places.length / 4);
      places.push(x0, y0, x1, y1);
      tangents.push(ends[i]!.x, ends[i]!.y, ends[i + 1]!.x, ends[i + 1]!.y);
    }
  }
  return {
    segments: places.length / 4,
    places: Float64Array.from(places),
    tangents: Float64Array.from(tangents),
    side,
    buckets,
  };
}

/** The point of the lines nearest to a place in the grid; there must be a segment. */
export function nearestOn(index: SegmentIndex, x: number, y: number): NearestPoint {
  const { side, buckets } = index;
  const [column, row] = [bucketOf(x), bucketOf(y)];
  let best = { squared: Number.POSITIVE_INFINITY, segment: -1, share: 0 };
  for (let ring = 0; ring < side; ring++) {
    // All that is in this ring or beyond is at least a ring's inner distance away.
    if (best.squared <= (Math.max(0, ring - 1) * BUCKET) ** 2) break;
    for (const bucket of ringOf(column, row, { ring, side })) {
      for (const segment of buckets[bucket]!) {
        const found = approach(index, segment, { x, y });
        if (found.squared < best.squared) best = { segment, ...found };
      }
    }
  }
  return { distance: Math.sqrt(best.squared), tangent: tangentOn(index, best) };
}

function bucketOf(coordinate: number): number {
  return Math.floor(coordinate / BUCKET);
}

/** The buckets at a distance of `ring` from the one in a column and row. */
function ringOf(column: number, row: number, { ring, side }: { ring: number; side: number }) {
  const found: number[] = [];
  for (let r = Math.max(0, row - ring); r <= Math.min(side - 1, row + ring); r++) {
    // Rows inside the ring have only its two ends.
    const step = Math.abs(r - row) === ring || ring === 0 ? 1 : 2 * ring;
    for (let c = column - ring; c <= column + ring; c += step) {
      if (c >= 0 && c < side) found.push(r * side + c);
    }
  }
  return found;
}

/** The squared distance to a segment, and where on it the nearest point is: 0 at its beginning, 1 at its end. */
function approach({ places }: SegmentIndex, segment: number, { x, y }: { x: number; y: number }) {
  const x0 = places[4 * segment]!;
  const y0 = places[4 * segment + 1]!;
  const alongX = places[4 * segment + 2]! - x0;
  const alongY = places[4 * segment + 3]! - y0;
  const squaredLength = alongX * alongX + alongY * alongY;
  const projection = ((x - x0) * alongX + (y - y0) * alongY) / (squaredLength || 1);
  const share = Math.max(0, Math.min(1, projection));
  const awayX = x - x0 - share * alongX;
  const awayY = y - y0 - share * alongY;
  return { squared: awayX * awayX + awayY * awayY, share };
}

/** The tangent turns evenly along a segment. */
function tangentOn(
  { tangents }: SegmentIndex,
  { segment, share }: { segment: number; share: number },
) {
  const between = (k: number) =>
    (1 - share) * tangents[4 * segment + k]! + share * tangents[4 * segment + k + 2]!;
  const [x, y] = [between(0), between(1)];
  const length = Math.sqrt(x * x + y * y) || 1;
  return { x: x / length, y: y / length };
}
