/**
 * exp, log, cosine and arc tangent from +, −, ×, ÷ and integer operations only. IEEE 754 fixes those to the last
 * bit, so results are the same bytes on every machine; `Math.exp` and the like may change with V8.
 *
 * Ported from FDLIBM (e_exp.c, e_log.c, k_cos.c, k_sin.c, s_atan.c, e_atan2.c; https://www.netlib.org/fdlibm/), the
 * logarithm in the shorter form of musl 1.1's log.c:
 *
 *   Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
 *   Developed at SunPro, a Sun Microsystems, Inc. business.
 *   Permission to use, copy, modify, and distribute this software is freely granted, provided that
 *   this notice is preserved.
 */
import { binaryExponent, highWord, powerOfTwo, withHighWord } from "./float64-bits.ts";

/** ln 2 in two parts: the first ends in 21 zero bits, so that its product with k is exact. */
export const LN2_HIGH = 0.6931471803691238;
export const LN2_LOW = 1.9082149292705877e-10;

/** eˣ within 1 ulp; 0 below −745.13, +∞ above 709.78. */
export function exp(x: number): number {
  if (x > 709.782712893384) return Number.POSITIVE_INFINITY;
  if (x < -745.1332191019411) return 0;
  const k = x < 0 ? nearestPower(x) : -nearestPower(-x);
  const y = 1 + reducedExpm1(x - k * LN2_HIGH, k * LN2_LOW);
  if (k > 1023) return y * 2 * powerOfTwo(k - 1);
  return k < -1021 ? y * powerOfTwo(k + 100) * powerOfTwo(-100) : y * powerOfTwo(k);
}

/** The integer k next to x/ln 2, for −10⁹ < x ≤ 0; 0 for NaN. */
export function nearestPower(x: number): number {
  return (Math.LOG2E * x - 0.5) | 0;
}

/** eʳ − 1 for r = high − low with |r| ≤ ½ ln 2, within 1 ulp of the larger of eʳ − 1 and r. */
export function reducedExpm1(high: number, low: number): number {
  const r = high - low;
  const t = r * r;
  const c =
    r -
    t *
      (0.16666666666666602 +
        t *
          (-0.0027777777777015593 +
            t * (6.613756321437934e-5 + t * (-1.6533902205465252e-6 + t * 4.1381367970572385e-8))));
  return high - (low - (r * c) / (2 - c));
}

/** ln x within 1 ulp; −∞ at 0, NaN below 0. */
export function log(x: number): number {
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (!(x > 0)) return Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  let k = 0;
  if (binaryExponent(x) === -1023) {
    k = -54;
    x *= 2 ** 54;
  }
  // x = 2^k (1 + f) with √½ < 1 + f < √2.
  const high = highWord(x) + (0x3ff00000 - 0x3fe6a09e);
  k += (high >> 20) - 1023;
  const f = withHighWord(x, (high & 0x000fffff) + 0x3fe6a09e) - 1;
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const t1 = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373));
  const t2 =
    z *
    (0.6666666666666735 +
      w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)));
  const halfSquare = 0.5 * f * f;
  return k * LN2_HIGH - (halfSquare - (s * (halfSquare + (t1 + t2)) + k * LN2_LOW) - f);
}

/** ln(1 + x) for 0 ≤ x ≤ 1, within 3 ulp (W. Kahan's correction of ln's argument). */
export function log1p(x: number): number {
  const u = 1 + x;
  return u === 1 ? x : (log(u) * x) / (u - 1);
}

/** cos πx for 0 ≤ x ≤ 1, within 2 ulp of 1; exactly 1, 0 and −1 at 0, ½ and 1. */
export function cosPi(x: number): number {
  if (x > 0.5) return -cosPi(1 - x);
  return x <= 0.25 ? smallCosine(Math.PI * x) : smallSine(Math.PI * (0.5 - x));
}

/** cos x for |x| ≤ π/4. */
function smallCosine(x: number): number {
  const z = x * x;
  const r =
    z *
    (0.0416666666666666 +
      z *
        (-0.001388888888887411 +
          z *
            (2.480158728947673e-5 +
              z *
                (-2.7557314351390663e-7 +
                  z * (2.087572321298175e-9 - z * 1.1359647557788195e-11)))));
  const half = 0.5 * z;
  const w = 1 - half;
  return w + (1 - w - half + z * r);
}

/** sin x for |x| ≤ π/4. */
function smallSine(x: number): number {
  const z = x * x;
  const r =
    0.00833333333332249 +
    z *
      (-0.0001984126982985795 +
        z * (2.7557313707070068e-6 + z * (-2.5050760253406863e-8 + z * 1.58969099521155e-10)));
  return x + z * x * (-0.16666666666666632 + z * r);
}

/** ∠(x, y) in [−π, π] within 2 ulp, with signed zeros as in `Math.atan2`. */
export function atan2(y: number, x: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  const xIsNegative = x < 0 || Object.is(x, -0);
  const yIsNegative = y < 0 || Object.is(y, -0);
  const angle = firstQuadrantAngle(Math.abs(y), Math.abs(x));
  const upper = xIsNegative && angle !== Math.PI / 2 ? Math.PI - (angle - PI_LOW) : angle;
  return yIsNegative ? -upper : upper;
}

const PI_LOW = 1.2246467991473532e-16;

function firstQuadrantAngle(y: number, x: number): number {
  if (y === 0) return 0;
  if (x === 0) return Math.PI / 2;
  if (y === Number.POSITIVE_INFINITY) return x === y ? Math.PI / 4 : Math.PI / 2;
  return atan(y / x);
}

/** Interval ends and atan(½), atan(1), atan(3/2), atan(∞) in two parts. */
const ATAN_HIGH = [0.4636476090008061, 0.7853981633974483, 0.982793723247329, 1.5707963267948966];
const ATAN_LOW = [
  2.2698777452961687e-17, 3.061616997868383e-17, 1.3903311031230998e-17, 6.123233995736766e-17,
];

/** arctan x for x ≥ 0, within 1 ulp. */
function atan(x: number): number {
  if (x < 7 / 16) return x - x * atanSeries(x);
  if (x < 11 / 16) return shifted(0, (2 * x - 1) / (2 + x));
  if (x < 19 / 16) return shifted(1, (x - 1) / (x + 1));
  if (x < 39 / 16) return shifted(2, (x - 1.5) / (1 + 1.5 * x));
  return shifted(3, -1 / x);
}

function shifted(interval: number, t: number): number {
  return ATAN_HIGH[interval]! - (t * atanSeries(t) - ATAN_LOW[interval]! - t);
}

/** 1 − arctan(x)/x for |x| ≤ 7/16. */
function atanSeries(x: number): number {
  const z = x * x;
  const w = z * z;
  const s1 =
    z *
    (0.3333333333333293 +
      w *
        (0.14285714272503466 +
          w *
            (0.09090887133436507 +
              w * (0.06661073137387531 + w * (0.049768779946159324 + w * 0.016285820115365782)))));
  const s2 =
    w *
    (-0.19999999999876483 +
      w *
        (-0.11111110405462356 +
          w * (-0.0769187620504483 + w * (-0.058335701337905735 + w * -0.036531572744216916))));
  return s1 + s2;
}
