/**
 * Vectors of LANES float32 numbers, for the instruction set that this translation unit is built for.
 *
 * Everything here is an IEEE 754 operation in each lane, so a lane's result does not depend on LANES,
 * on its neighbours or on the machine. No operation goes across lanes but `transpose`.
 */
#ifndef FTLE_VECTOR_H
#define FTLE_VECTOR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(ISA_avx512)
#include <immintrin.h>
#define LANES 16
#define REGISTERS 32
#elif defined(ISA_avx2)
#include <immintrin.h>
#define LANES 8
#define REGISTERS 16
#elif defined(ISA_neon)
#include <arm_neon.h>
#define LANES 4
#define REGISTERS 32
#elif defined(ISA_baseline)
#define LANES 4
#define REGISTERS 16
#else
#error "expected -DISA_avx512, -DISA_avx2, -DISA_neon or -DISA_baseline"
#endif

typedef float vf __attribute__((vector_size(4 * LANES)));
typedef int32_t vi __attribute__((vector_size(4 * LANES)));

#define INLINE static inline __attribute__((always_inline, unused))

INLINE vf splat(float x) { return x - (vf){0}; } // x − 0 keeps even −0

INLINE vi splat_int(int32_t x) { return x - (vi){0}; }

/** Loads from an address that is a multiple of a vector's size. */
INLINE vf load(const float *from) { return *(const vf *)from; }

INLINE void store(float *to, vf v) { *(vf *)to = v; }

#if defined(ISA_baseline)
/**
 * The product of two float32 is exact in float64. Rounding the sum to odd before it is rounded to float32 makes
 * the two roundings one (Boldo & Melquiond, IEEE Trans. Computers 57, 462 (2008)).
 */
static __attribute__((noinline, unused)) vf fma_(vf a, vf b, vf c) {
  vf result;
  for (int i = 0; i < LANES; i++) {
    const double product = (double)a[i] * (double)b[i];
    const double addend = c[i];
    double sum = product + addend;
    const double part = sum - product;
    const double error = (product - (sum - part)) + (addend - part);
    int64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    if (error != 0 && error == error && (bits & 1) == 0) {
      bits += (error > 0) == (sum > 0) ? 1 : -1;
      memcpy(&sum, &bits, sizeof sum);
    }
    result[i] = (float)sum;
  }
  return result;
}
#else
/** a·b + c, rounded once. */
INLINE vf fma_(vf a, vf b, vf c) {
#if defined(ISA_avx512)
  return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(ISA_avx2)
  return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
  return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#endif
}
#endif

/** c − a·b, rounded once. */
INLINE vf fnma(vf a, vf b, vf c) { return fma_(-a, b, c); }

/** Where a lane of `mask` is all ones a, else b. */
INLINE vf choose(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }

INLINE vf absolute(vf a) { return (vf)((vi)a & splat_int(0x7fffffff)); }

/** |magnitude| with the sign of `sign`; `magnitude` must not be negative. */
INLINE vf with_sign(vf magnitude, vf sign) {
  return (vf)((vi)magnitude | ((vi)sign & splat_int((int32_t)0x80000000u)));
}

/** The lesser; NaN where a is. */
INLINE vf at_most(vf a, vf limit) {
#if defined(ISA_avx512)
  return (vf)_mm512_min_ps((__m512)limit, (__m512)a); // gives its second operand if one is NaN
#elif defined(ISA_avx2)
  return (vf)_mm256_min_ps((__m256)limit, (__m256)a);
#else
  return choose(a > limit, limit, a);
#endif
}

INLINE vi larger(vi a, vi b) {
#if defined(ISA_avx512)
  return (vi)_mm512_max_epi32((__m512i)a, (__m512i)b);
#elif defined(ISA_avx2)
  return (vi)_mm256_max_epi32((__m256i)a, (__m256i)b);
#else
  const vi mask = a > b;
  return (mask & a) | (~mask & b);
#endif
}

INLINE vf square_root(vf a) {
#if defined(ISA_avx512)
  return (vf)_mm512_sqrt_ps((__m512)a);
#elif defined(ISA_avx2)
  return (vf)_mm256_sqrt_ps((__m256)a);
#elif defined(ISA_neon)
  return (vf)vsqrtq_f32((float32x4_t)a);
#else
  vf result;
  for (int i = 0; i < LANES; i++) result[i] = __builtin_sqrtf(a[i]);
  return result;
#endif
}

/** Whether any lane of a comparison's result holds. */
INLINE int any(vi mask) {
#if defined(ISA_avx512)
  return _mm512_test_epi32_mask((__m512i)mask, (__m512i)mask) != 0;
#elif defined(ISA_avx2)
  return _mm256_movemask_epi8((__m256i)mask) != 0;
#else
  int32_t bits = 0;
  for (int i = 0; i < LANES; i++) bits |= mask[i];
  return bits != 0;
#endif
}

/** Σ_k coefficients[k] x^k by Horner's rule. */
#define POLYNOMIAL(x, ...)                                                             \
  ({                                                                                   \
    const float c_[] = {__VA_ARGS__};                                                  \
    vf sum_ = splat(c_[sizeof c_ / sizeof *c_ - 1]);                                   \
    _Pragma("GCC unroll 16") for (int k_ = sizeof c_ / sizeof *c_ - 2; k_ >= 0; k_--)  \
        sum_ = fma_(sum_, (x), splat(c_[k_]));                                         \
    sum_;                                                                              \
  })

#endif
