/**
 * tanh, logistic function, exponential, logarithm and arc tangent of vectors, from IEEE operations alone.
 *
 * The polynomials are least-maximum fits in relative error, found in float64 and rounded to float32; what
 * they reach is measured in `worker/test/engine-native.test.ts` against float64.
 */
#ifndef FTLE_ELEMENTARY_H
#define FTLE_ELEMENTARY_H

#include "vector.h"

#define LOG2_E 1.44269504088896340736f
/** 1.5·2²³: adding it rounds a small number to the integer that then stands in its last bits. */
#define ROUNDER 12582912.0f

/** e^(−rate·a) = 2^n (1 + p) in two parts, for a ≥ 0; both are NaN or p is for a NaN. */
struct power {
  /** 2^n. */
  vf scale;
  /** p in [−0.3, 0.42], of small relative error also near 0. */
  vf p;
};

/**
 * 2^(−a·rate) for 0 ≤ a·rate ≤ 126. The error of `rate` as a float32 enters times the exponent: for tanh,
 * 2.7e-8·|b| relative.
 */
INLINE struct power negative_power(vf a, float rate) {
  const vf steps = fnma(a, splat(rate), splat(ROUNDER));
  const vf n = steps - splat(ROUNDER);
  const vf r = fnma(a, splat(rate), -n); // in [−½, ½]
  const vf slope = POLYNOMIAL(r, 0.693147182f, 0.240226492f, 0.0555035733f, 0.00961823761f,
                              0.00133907353f, 0.000154035064f);
  const vi bits = ((vi)steps << 23) + splat_int(127 << 23);
  return (struct power){(vf)bits, r * slope};
}

/** An activation g(b) and its derivative g'(b). */
struct activated {
  vf x;
  vf slope;
};

/**
 * tanh b = ±(1 − e)/(1 + e) and g' = 4e/(1 + e)² with e = exp(−2|b|): right also where 1 − tanh² would cancel.
 * Beyond |b| = 43.6 the slope stays at 4e^(−87.2) = 5.4e-38, about the least that float32 holds with all its digits.
 */
INLINE struct activated tanh_(vf b) {
  const vf a = at_most(absolute(b), splat(43.6f));
  const struct power e = negative_power(a, 2 * LOG2_E);
  const vf E = fma_(e.scale, e.p, e.scale);
  const vf q = splat(1) / (splat(1) + E);
  // Near b = 0, scale = 1 and the numerator is −p without cancellation.
  const vf numerator = fnma(e.scale, e.p, splat(1) - e.scale);
  const vf twice = q + q;
  return (struct activated){with_sign(numerator * q, b), E * twice * twice};
}

/** 1/(1 + exp(−b)) and its derivative e/(1 + e)², e = exp(−|b|), which stays at e⁻⁸⁷ beyond |b| = 87. */
INLINE struct activated logistic(vf b) {
  const vf a = at_most(absolute(b), splat(87.0f));
  const struct power e = negative_power(a, LOG2_E);
  const vf E = fma_(e.scale, e.p, e.scale);
  const vf q = splat(1) / (splat(1) + E);
  return (struct activated){choose(b < 0, E * q, q), E * q * q};
}

/** max(0, b) and its derivative, which is 0 at 0; NaN gives NaN. */
INLINE struct activated rectified(vf b) {
  const vi is_negative = b <= 0;
  const vf one = choose(b == b, splat(1), b);
  return (struct activated){choose(is_negative, splat(0), b), choose(is_negative, splat(0), one)};
}

enum activation { TANH, RELU, SIGMOID, LINEAR };

INLINE struct activated activate(enum activation g, vf b) {
  switch (g) {
    case TANH: return tanh_(b);
    case SIGMOID: return logistic(b);
    case RELU: return rectified(b);
    default: return (struct activated){b, splat(1)};
  }
}

/** e^(−a) for a ≥ 0; below e⁻⁸⁷ it stays there. */
INLINE vf exp_negative(vf a) {
  const struct power e = negative_power(at_most(a, splat(87.0f)), LOG2_E);
  return fma_(e.scale, e.p, e.scale);
}

/** x = 2^k m with √½ ≤ m < √2: gives k, and ln m. For normal x > 0. */
struct logarithm {
  vf k;
  vf ln_m;
};

INLINE struct logarithm logarithm_(vf x) {
  const vi bits = (vi)x + splat_int(0x3f800000 - 0x3f3504f3);
  const vi k = (bits >> 23) - 127;
  const vf m = (vf)((bits & splat_int(0x007fffff)) + splat_int(0x3f3504f3));
  const vf f = m - splat(1);
  const vf tail = POLYNOMIAL(f, 0.333333313f, -0.250008196f, 0.200012267f, -0.166233569f,
                             0.142017588f, -0.13160184f, 0.127615735f, -0.0763448924f);
  const vf square = f * f;
  const vf ln_m = fma_(square * f, tail, fnma(splat(0.5f), square, f));
  return (struct logarithm){__builtin_convertvector(k, vf), ln_m};
}

/** ln 2 in two parts. */
#define LN2_HIGH 0.693145752f
#define LN2_LOW 1.42860682e-6f

/** k·ln 2 + rest. */
INLINE vf log_of(vf k, vf rest) { return fma_(k, splat(LN2_HIGH), fma_(k, splat(LN2_LOW), rest)); }

/** ½·angle(x, y) in (−π/2, π/2]; 0 at the origin. */
INLINE vf half_angle(vf y, vf x) {
  const vf ax = absolute(x), ay = absolute(y);
  const vi is_steep = ay > ax;
  const vf greatest = choose(is_steep, ay, ax);
  const vf divisor = choose(greatest == 0, splat(1), greatest);
  const vf t = choose(is_steep, ax, ay) / divisor;
  const vf z = t * t;
  const vf series = POLYNOMIAL(z, 1.0f, -0.333330721f, 0.199926198f, -0.142036438f, 0.106409326f,
                               -0.0750429183f, 0.0426914841f, -0.0160686076f, 0.00284988433f);
  vf angle = t * series;
  angle = choose(is_steep, splat(1.57079637f) - angle, angle);
  angle = choose(x < 0, splat(3.14159274f) - angle, angle);
  const vf half = splat(0.5f) * angle;
  // Along the cut the upper side counts: the line of angle −π/2 is that of π/2.
  return choose((vi)(y < 0) & (vi)(half < splat(1.57079637f)), -half, half);
}

#endif
