/**
 * exp, ln and ln(1 + x) of single float64 numbers from IEEE operations alone, as `shared/numerics/elementary.ts`
 * has them: the C library's differ from machine to machine.
 *
 * Ported from FDLIBM (e_exp.c, e_log.c; https://www.netlib.org/fdlibm/), the logarithm in the shorter form of
 * musl 1.1's log.c:
 *
 *   Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
 *   Developed at SunPro, a Sun Microsystems, Inc. business.
 *   Permission to use, copy, modify, and distribute this software is freely granted, provided that
 *   this notice is preserved.
 */
#ifndef FTLE_SCALAR_H
#define FTLE_SCALAR_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline double power_of_two(int k) {
  const uint64_t bits = (uint64_t)(k + 1023) << 52;
  double power;
  memcpy(&power, &bits, sizeof power);
  return power;
}

/** eˣ for x ≤ 0; 0 below −700. */
static inline double exp_double(double x) {
  if (x < -700) return 0;
  const int k = x == x ? (int)(1.4426950408889634 * x - 0.5) : 0;
  const double high = x - k * 0.6931471803691238, low = k * 1.9082149292705877e-10;
  const double r = high - low, t = r * r;
  const double c =
      r - t * (0.16666666666666602 +
               t * (-0.0027777777777015593 +
                    t * (6.613756321437934e-5 + t * (-1.6533902205465252e-6 + t * 4.1381367970572385e-8))));
  return (1 + (high - (low - (r * c) / (2 - c)))) * power_of_two(k);
}

/** ln x for normal x > 0; x itself if it is not finite or not positive. */
static inline double log_double(double x) {
  if (!(x > 0) || x > 1.7976931348623157e308) return x > 0 ? x : NAN;
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint32_t high = (uint32_t)(bits >> 32) + (0x3ff00000 - 0x3fe6a09e);
  const int k = (int)(high >> 20) - 1023;
  bits = (uint64_t)((high & 0x000fffff) + 0x3fe6a09e) << 32 | (bits & 0xffffffffu);
  double m;
  memcpy(&m, &bits, sizeof m);
  const double f = m - 1, s = f / (2 + f), z = s * s, w = z * z;
  const double t1 = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373));
  const double t2 =
      z * (0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)));
  const double half_square = 0.5 * f * f;
  return k * 0.6931471803691238 - (half_square - (s * (half_square + (t1 + t2)) + k * 1.9082149292705877e-10) - f);
}

/** ln(1 + x) for 0 ≤ x ≤ 1 (W. Kahan's correction of the argument). */
static inline double log1p_double(double x) {
  const double u = 1 + x;
  return u == 1 || u != u ? x : log_double(u) * x / (u - 1);
}

#endif
