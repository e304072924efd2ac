import {
  interpolate,
  type Profile,
  pointsAlong,
  profileOf,
  slopeProfile,
  zeroOf,
} from "./edge-profile.ts";
import { relativeSense, type Stretching } from "./stretching.ts";

/** What a point must exceed to belong to a ridge. */
export interface Thresholds {
  readonly value: number;
  /** Per squared grid spacing. */
  readonly sharpness: number;
}

/** A point of a ridge, on an edge of the grid. */
export interface RidgeVertex {
  /** In grid spacings. */
  readonly column: number;
  readonly row: number;
  readonly value: number;
  /** −ξᵀHξ, per squared grid spacing. */
  readonly sharpness: number;
  /** Angle of ξ in (−π/2, π/2]. */
  readonly direction: number;
}

/** The ridge's point on an edge where ξ·∇λ changes sign; null if it is too low, or not a maximum along ξ. */
export function ridgeVertex(
  field: Stretching,
  edge: number,
  thresholds: Thresholds,
): RidgeVertex | null {
  const along = pointsAlong(edge, field.points);
  const t = zeroOf(slopeProfile(field, along));
  const value = interpolate(profileOf(field.value, along), t);
  const sharpness = interpolate(profileOf(field.sharpness, along), t);
  if (!(value > thresholds.value && sharpness > thresholds.sharpness)) return null;
  const from = along[1];
  const isUpward = edge % 2 === 1;
  return {
    column: (from % field.points) + (isUpward ? 0 : t),
    row: Math.floor(from / field.points) + (isUpward ? t : 0),
    value,
    sharpness,
    direction: directionAt(field, along, t),
  };
}

/** The angle of ξ between two points, at which it is less than 45° apart. */
function directionAt(field: Stretching, [, from, to]: Profile, t: number): number {
  const share = t * relativeSense(field, from, to);
  const x = (1 - t) * field.cos[from]! + share * field.cos[to]!;
  const y = (1 - t) * field.sin[from]! + share * field.sin[to]!;
  const angle = Math.atan(y / x);
  return angle > -Math.PI / 2 ? angle : Math.PI / 2;
}
