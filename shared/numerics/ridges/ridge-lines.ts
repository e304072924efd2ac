/**
 * Ridges of a field of finite-time Lyapunov exponents, as ordered lines finer than the grid.
 *
 * A point is on a ridge if the field is above a percentile there, its derivative along the direction ξ of
 * maximal stretching (the top eigenvector of the Cauchy–Green tensor) is zero, and its second derivative
 * along ξ is negative. Nothing else is asked of ξ: where it is not across a ridge, as may happen in hidden
 * layers of wide networks, the lines are those of this definition and not the crests one sees.
 */

import { type GridLine, segmentLengths } from "./grid-line.ts";
import { connect, type Links, pathsThrough } from "./link-vertices.ts";
import { passages, sidesOf } from "./marching-square.ts";
import { type RidgeVertex, ridgeVertex, type Thresholds } from "./ridge-vertices.ts";
import {
  alongStretching,
  relativeSense,
  type StretchedField,
  type Stretching,
} from "./stretching.ts";
import { leastSharpness, percentileOf } from "./thresholds.ts";

export interface RidgeOptions {
  /** Only values above this percentile of the smoothed field belong to ridges, 0 … 100. */
  readonly percentile: number;
  /** Standard deviation of the Gaussian weights of derivatives, in grid spacings ≥ 0. */
  readonly smoothing?: number;
  /** Shorter lines are left out; in grid spacings. */
  readonly minimumLength?: number;
  /**
   * Ridges have more −ξᵀHξ than this, per squared grid spacing. Left out, it is more than the field's own
   * noise gives (see `leastSharpness`).
   */
  readonly minimumSharpness?: number;
}

/** Enough for float32, whose noise is far below the sharpness of a ridge; more moves ridges of small radius. */
export const DEFAULT_SMOOTHING = 0.5;
export const DEFAULT_MINIMUM_LENGTH = 4;

/** One ridge; the arrays have an element per vertex. */
export interface RidgeLine extends GridLine {
  /** Of the smoothed field. */
  readonly value: Float64Array;
  /** −ξᵀHξ, per squared grid spacing. */
  readonly sharpness: Float64Array;
  /** Angle of ξ in (−π/2, π/2], radians. */
  readonly direction: Float64Array;
  /** In grid spacings. */
  readonly length: number;
}

/**
 * The ridges of a field, the longest first.
 *
 * Lines end where a condition fails, at the border, beside points that are not known, and where ξ turns
 * by 45° or more from one point to the next.
 */
export function ridgeLines(field: StretchedField, options: RidgeOptions): RidgeLine[] {
  const { smoothing = DEFAULT_SMOOTHING, minimumLength = DEFAULT_MINIMUM_LENGTH } = options;
  const stretching = alongStretching(field, smoothing);
  const { vertices, links } = ridgeGraph(stretching, {
    value: percentileOf(stretching.value, options.percentile),
    sharpness: options.minimumSharpness ?? leastSharpness(field, smoothing),
  });
  return pathsThrough(links)
    .map((path) => lineThrough(path.map((vertex) => vertices[vertex]!)))
    .filter((line) => line.length > 0 && line.length >= minimumLength)
    .sort((a, b) => b.length - a.length);
}

interface RidgeGraph {
  readonly vertices: RidgeVertex[];
  readonly links: Links;
}

/** All points of ridges on the edges of the grid, joined through its squares. */
function ridgeGraph(field: Stretching, thresholds: Thresholds): RidgeGraph {
  const { points } = field;
  const vertices: RidgeVertex[] = [];
  const links: Links = [];
  // By edge: 0 is not looked at yet, −1 is no ridge, else the vertex counted from 1.
  const known = new Int32Array(2 * points * points);
  const vertexOn = (edge: number): number => {
    if (known[edge] === 0) {
      const vertex = ridgeVertex(field, edge, thresholds);
      known[edge] = vertex === null ? -1 : vertices.push(vertex);
      if (vertex !== null) links.push(-1, -1);
    }
    return known[edge]!;
  };
  for (let row = 0; row + 1 < points; row++) {
    for (let column = 0; column + 1 < points; column++) {
      const corner = row * points + column;
      const found = passages(orientedSlopes(field, corner));
      if (found.length === 0) continue;
      const sides = sidesOf(corner, points);
      for (const [from, to] of found) {
        const a = vertexOn(sides[from]!);
        const b = vertexOn(sides[to]!);
        if (a > 0 && b > 0) connect(links, a - 1, b - 1);
      }
    }
  }
  return { vertices, links };
}

const UNKNOWN = [Number.NaN, Number.NaN, Number.NaN, Number.NaN] as const;

/** ξ·∇λ at the corners of a square, with ξ in one sense; NaN where it has none in the square. */
function orientedSlopes(field: Stretching, corner: number) {
  const { points, slope } = field;
  const right = corner + 1;
  const above = corner + points;
  const opposite = above + 1;
  const toRight = relativeSense(field, corner, right);
  const toOpposite = toRight * relativeSense(field, right, opposite);
  const toAbove = relativeSense(field, corner, above);
  if (toOpposite === 0 || toAbove * relativeSense(field, above, opposite) === 0) return UNKNOWN;
  return [
    slope[corner]!,
    toRight * slope[right]!,
    toOpposite * slope[opposite]!,
    toAbove * slope[above]!,
  ] as const;
}

/** Joins vertices in order; of those that coincide one is enough. */
function lineThrough(path: readonly RidgeVertex[]): RidgeLine {
  const isClosed = path[0] === path.at(-1);
  const vertices = path.filter((vertex, i) => {
    const previous = path[i - 1];
    return previous === undefined || !isSamePlace(vertex, previous);
  });
  if (isClosed && vertices.at(-1) !== path[0]) vertices[vertices.length - 1] = path[0]!;
  const each = (pick: (vertex: RidgeVertex) => number) => Float64Array.from(vertices, pick);
  const line = { column: each((v) => v.column), row: each((v) => v.row), isClosed };
  return {
    ...line,
    value: each((v) => v.value),
    sharpness: each((v) => v.sharpness),
    direction: each((v) => v.direction),
    length: segmentLengths(line).reduce((sum, length) => sum + length, 0),
  };
}

/** A line through a point of the grid crosses up to four edges there. */
function isSamePlace(a: RidgeVertex, b: RidgeVertex): boolean {
  return Math.abs(a.column - b.column) + Math.abs(a.row - b.row) < 1e-6;
}
