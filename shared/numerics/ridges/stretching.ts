import { derivatives } from "./derivatives.ts";
import type { GridField } from "./zero-lines.ts";

/** A scalar with the direction ξ of maximal stretching, row-major [points, points]. */
export interface StretchedField extends GridField {
  /** NaN (or infinite) where not known. */
  readonly values: Float32Array;
  /** Angle of ξ, radians; it has no sign, so θ and θ ± π mean the same. NaN where not known. */
  readonly direction: Float32Array;
}

/** What a field does along ξ, at the points of the grid; NaN where the field or ξ is not known. */
export interface Stretching {
  readonly points: number;
  /** Cosine and sine of ξ's angle; together they fix the sign in which `slope` is meant. */
  readonly cos: Float64Array;
  readonly sin: Float64Array;
  /** The smoothed field λ. */
  readonly value: Float64Array;
  /** ξ·∇λ per grid spacing; never 0, so that its sign is that of ξ times a fixed one. */
  readonly slope: Float64Array;
  /** −ξᵀHξ per squared grid spacing, H the second derivatives of λ. */
  readonly sharpness: Float64Array;
}

/** Derivatives along ξ of a field smoothed over `smoothing` grid spacings. */
export function alongStretching(field: StretchedField, smoothing: number): Stretching {
  const { points, values, direction } = field;
  const { value, x, y, xx, xy, yy } = derivatives(field, smoothing);
  const cos = new Float64Array(values.length);
  const sin = new Float64Array(values.length);
  const slope = new Float64Array(values.length);
  const sharpness = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const c = Math.cos(direction[i]!);
    const s = Math.sin(direction[i]!);
    cos[i] = c;
    sin[i] = s;
    if (!Number.isFinite(values[i]!) || Number.isNaN(c)) {
      value[i] = slope[i] = sharpness[i] = Number.NaN;
      continue;
    }
    slope[i] = c * x[i]! + s * y[i]! || 1e-300;
    sharpness[i] = -(c * c * xx[i]! + 2 * c * s * xy[i]! + s * s * yy[i]!);
  }
  return { points, cos, sin, value, slope, sharpness };
}

/**
 * Whether ξ at point j has the sense of ξ at point i (1) or the opposite one (−1); 0 if either is not
 * known or they are 45° or more apart.
 *
 * Four turns of less than 45° round a square add up to less than half a turn: ξ then has a sense in the
 * square as a whole. Neighbours further apart belong to no common smooth field.
 */
export function relativeSense({ cos, sin }: Stretching, i: number, j: number): 1 | 0 | -1 {
  const product = cos[i]! * cos[j]! + sin[i]! * sin[j]!;
  if (product > Math.SQRT1_2) return 1;
  return product < -Math.SQRT1_2 ? -1 : 0;
}
