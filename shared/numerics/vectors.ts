/** Rows of a matrix as vectors: each starts at an offset into an array and has `length` elements. */
import { binaryExponent, powerOfTwo } from "./float64-bits.ts";

/** Σ a_i b_i, in ascending order. */
export function dot(
  a: Float64Array,
  atA: number,
  b: Float64Array,
  atB: number,
  length: number,
): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[atA + i]! * b[atB + i]!;
  return sum;
}

/** sqrt(Σ v_i²), without overflow or underflow on the way; NaN if an element is not finite. */
export function norm(v: Float64Array, at: number, length: number): number {
  const square = dot(v, at, v, at, length);
  if (square > 1e-250 && square < 1e250) return Math.sqrt(square);
  const exponent = binaryExponent(largest(v, at, length));
  if (exponent > 1023) return Number.NaN;
  const down = powerOfTwo(-exponent);
  let scaled = 0;
  for (let i = 0; i < length; i++) scaled += (v[at + i]! * down) ** 2;
  return Math.sqrt(scaled) / down;
}

/** The largest |v_i|; NaN if there is a NaN. */
export function largest(v: Float64Array, at = 0, length = v.length): number {
  let max = 0;
  for (let i = 0; i < length; i++) max = Math.max(max, Math.abs(v[at + i]!));
  return max;
}
