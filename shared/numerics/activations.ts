/** The activation functions g with their derivatives g'. */
import { LN2_HIGH, LN2_LOW, nearestPower, reducedExpm1 } from "./elementary.ts";
import { powerOfTwo } from "./float64-bits.ts";
import type { Activation } from "./network.ts";

/** What a layer computes from its local fields; all arrays have the same length. */
export interface Activated {
  /** Local fields b; not changed. */
  readonly b: Float64Array;
  /** Receives g(b); may be `b` itself. */
  readonly x: Float64Array;
  /** Receives g'(b). */
  readonly slope: Float64Array;
}

/**
 * x[i] = g(b[i]) and slope[i] = g'(b[i]) for i < count.
 *
 * tanh and sigmoid are correct to 4 ulp and their slopes within 8, also where they saturate: slopes come
 * from the exponential and not from 1 − x². relu'(0) = 0. A NaN gives NaN, except for linear's slope, which is 1.
 */
export function activate(g: Activation, { b, x, slope }: Activated, count: number): void {
  switch (g) {
    case "tanh":
      tanh(b, x, slope, count);
      return;
    case "sigmoid":
      sigmoid(b, x, slope, count);
      return;
    case "relu":
      for (let i = 0; i < count; i++) {
        const value = b[i]!;
        slope[i] = value > 0 ? 1 : value <= 0 ? 0 : Number.NaN;
        x[i] = value <= 0 ? 0 : value;
      }
      return;
    case "linear":
      for (let i = 0; i < count; i++) {
        x[i] = b[i]!;
        slope[i] = 1;
      }
  }
}

/** exp(−746) rounds to zero; a larger argument would exceed the table of powers of two. */
const MAX_EXPONENT = 746;

/** tanh b = ±(1 − e)/(1 + e) and g' = 4e/(1 + e)² with e = exp(−2|b|) = 2^k (1 + p). */
function tanh(b: Float64Array, x: Float64Array, slope: Float64Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const value = b[i]!;
    const exponent = -Math.min(2 * Math.abs(value), MAX_EXPONENT);
    const k = nearestPower(exponent);
    const p = reducedExpm1(exponent - k * LN2_HIGH, k * LN2_LOW);
    const scale = powerOfTwo(k);
    const q = 1 / (1 + scale + scale * p);
    // Near b = 0, k = 0 and 1 − e = −p without cancellation.
    const magnitude = (1 - scale - scale * p) * q;
    x[i] = value < 0 ? -magnitude : magnitude;
    slope[i] = 4 * (scale + scale * p) * q * q;
  }
}

/** 1/(1 + exp(−b)) and its derivative e/(1 + e)², e = exp(−|b|) = 2^k (1 + p). */
function sigmoid(b: Float64Array, x: Float64Array, slope: Float64Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const value = b[i]!;
    const exponent = -Math.min(Math.abs(value), MAX_EXPONENT);
    const k = nearestPower(exponent);
    const p = reducedExpm1(exponent - k * LN2_HIGH, k * LN2_LOW);
    const scale = powerOfTwo(k);
    const e = scale + scale * p;
    const q = 1 / (1 + e);
    x[i] = value < 0 ? e * q : q;
    slope[i] = e * q * q;
  }
}
