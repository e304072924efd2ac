/**
 * C = (start + A·B) ⊙ times with lanes along the rows of B and C. Every element is one sum in ascending order of the
 * summed index, so neither the blocking nor LANES changes a bit.
 */
#ifndef FTLE_PRODUCT_H
#define FTLE_PRODUCT_H

#include "kernel.h"
#include "vector.h"

/** Vectors of a row done side by side, and rows of A with so many vectors: what the registers hold. */
#if REGISTERS == 32
#define MAX_VECTORS 4
static const size_t max_rows[MAX_VECTORS + 1] = {0, 8, 8, 8, 6};
#else
#define MAX_VECTORS 2
static const size_t max_rows[MAX_VECTORS + 1] = {0, 8, 6};
#endif

/** A matrix B: [terms, columns], row after row at `stride`. */
struct operand {
  const float *at;
  size_t stride;
  size_t terms;
};

struct product {
  /** [rows, columns], row after row at `c_stride`. */
  float *c;
  size_t c_stride;
  /** Multiplies each element at the end; laid out as `c`. May be null. */
  const float *times;
  /** What the sums start from: row i at i·start_stride; may be `c`. */
  const float *start;
  size_t start_stride;
  /** Element (i, k) at i·a_row + k·a_term. */
  const float *a;
  size_t a_row;
  size_t a_term;
  struct operand b;
  /** The B of the product that comes next, to be fetched meanwhile; `at` may be null. */
  struct operand next;
  size_t rows;
  /** Rounded up to LANES: rows of B, C and start must have room for that. */
  size_t columns;
};

#if LANES == 16
/** Half a vector, for what is left of a row: on processors that do wide ones in two steps it costs half. */
typedef float vh __attribute__((vector_size(2 * LANES)));

INLINE vh half_fma(float a, vh b, vh c) {
  return (vh)_mm256_fmadd_ps((__m256)(a - (vh){0}), (__m256)b, (__m256)c);
}

/** Two halves as one vector, and back. */
INLINE vf join(const float *low, const float *high) {
  return (vf)_mm512_insertf32x8(_mm512_castps256_ps512(_mm256_load_ps(low)), _mm256_load_ps(high), 1);
}
INLINE void split(vf v, float *low, float *high) {
  _mm256_store_ps(low, _mm512_castps512_ps256((__m512)v));
  _mm256_store_ps(high, _mm512_extractf32x8_ps((__m512)v, 1));
}
#define HAS_HALVES 1
#else
// Never called: no row ends in half a vector.
typedef vf vh;
INLINE vh half_fma(float a, vh b, vh c) { return fma_(splat(a), b, c); }
INLINE vf join(const float *low, const float *high) { return load(low) + load(high); }
INLINE void split(vf v, float *low, float *high) { store(low, v), store(high, v); }
#define HAS_HALVES 0
#endif

INLINE int ends_in_half(size_t columns) {
  return HAS_HALVES && columns % LANES != 0 && columns % LANES <= LANES / 2;
}

/** `rows` rows by `vectors` vectors of C, and half a vector more if `half`. */
INLINE void product_tile(size_t rows, size_t vectors, int half, const struct product *p, size_t row, size_t column) {
  const float *a = p->a + row * p->a_row, *b = p->b.at + column;
  const size_t a_row = p->a_row, a_term = p->a_term, b_stride = p->b.stride;
  vf sums[8][MAX_VECTORS];
  vh halves[8];
  _Pragma("GCC unroll 8") for (size_t r = 0; r < rows; r++) {
    const float *start = p->start + (row + r) * p->start_stride + column;
    _Pragma("GCC unroll 4") for (size_t v = 0; v < vectors; v++) sums[r][v] = load(start + v * LANES);
    if (half) halves[r] = *(const vh *)(start + vectors * LANES);
  }
  for (size_t k = 0; k < p->b.terms; k++, a += a_term, b += b_stride) {
    vf terms[MAX_VECTORS];
    vh last;
    _Pragma("GCC unroll 4") for (size_t v = 0; v < vectors; v++) terms[v] = load(b + v * LANES);
    if (half) last = *(const vh *)(b + vectors * LANES);
    _Pragma("GCC unroll 8") for (size_t r = 0; r < rows; r++) {
      const vf factor = splat(a[r * a_row]);
      _Pragma("GCC unroll 4") for (size_t v = 0; v < vectors; v++)
        sums[r][v] = fma_(factor, terms[v], sums[r][v]);
      if (half) halves[r] = half_fma(factor[0], last, halves[r]);
    }
  }
  if (p->times != NULL) {
    _Pragma("GCC unroll 8") for (size_t r = 0; r < rows; r++) {
      const float *times = p->times + (row + r) * p->c_stride + column;
      _Pragma("GCC unroll 4") for (size_t v = 0; v < vectors; v++) sums[r][v] *= load(times + v * LANES);
      if (half) halves[r] *= *(const vh *)(times + vectors * LANES);
    }
  }
  _Pragma("GCC unroll 8") for (size_t r = 0; r < rows; r++) {
    float *to = p->c + (row + r) * p->c_stride + column;
    _Pragma("GCC unroll 4") for (size_t v = 0; v < vectors; v++) store(to + v * LANES, sums[r][v]);
    if (half) *(vh *)(to + vectors * LANES) = halves[r];
  }
}

typedef void (*tile_function)(const struct product *, size_t, size_t);

#define TILE(R, V, H)                                                                                        \
  static __attribute__((noinline)) void tile_##R##_##V##_##H(const struct product *p, size_t i, size_t j) {  \
    product_tile(R, V, H, p, i, j);                                                                          \
  }
#define TILES(V, H) \
  TILE(1, V, H) TILE(2, V, H) TILE(3, V, H) TILE(4, V, H) TILE(5, V, H) TILE(6, V, H) TILE(7, V, H) TILE(8, V, H)
#define TILE_ROW(V, H)                                                                            \
  {0,            tile_1_##V##_##H, tile_2_##V##_##H, tile_3_##V##_##H, tile_4_##V##_##H,          \
   tile_5_##V##_##H, tile_6_##V##_##H, tile_7_##V##_##H, tile_8_##V##_##H}

TILES(1, 0)
TILES(2, 0)
#if MAX_VECTORS == 4
TILES(3, 0)
TILES(4, 0)
#endif
#if HAS_HALVES
TILES(0, 1)
TILES(1, 1)
TILES(2, 1)
TILES(3, 1)
#endif

/** By whether half a vector follows, whole vectors, rows. */
static const tile_function tile_functions[1 + HAS_HALVES][MAX_VECTORS + 1][9] = {
    {
        {0},
        TILE_ROW(1, 0),
        TILE_ROW(2, 0),
#if MAX_VECTORS == 4
        TILE_ROW(3, 0),
        TILE_ROW(4, 0),
#endif
    },
#if HAS_HALVES
    {TILE_ROW(0, 1), TILE_ROW(1, 1), TILE_ROW(2, 1), TILE_ROW(3, 1)},
#endif
};

/** Matrices of fewer numbers (128 KiB) are in the second cache anyway. */
#define FETCHED 32768

/**
 * Fetches the `part`-th of `parts` of the panel at `column`, so that a matrix too large for the second cache is
 * there when its turn comes.
 */
INLINE void fetch_panel(const struct operand *b, size_t column, size_t part, size_t parts) {
  if (b->at == NULL || b->terms * b->stride < FETCHED) return;
  for (size_t k = b->terms * part / parts; k < b->terms * (part + 1) / parts; k++)
    for (size_t j = column; j < column + MAX_VECTORS * LANES && j < b->stride; j += LINE)
      __builtin_prefetch(b->at + k * b->stride + j, 0, 2);
}

static void multiply_matrices(const struct product *p) {
  const size_t vectors = (p->columns + LANES - 1) / LANES;
  const size_t panels = (vectors + MAX_VECTORS - 1) / MAX_VECTORS;
  for (size_t panel = 0; panel < panels; panel++) {
    const size_t from = vectors * panel / panels, width = vectors * (panel + 1) / panels - from;
    const int half = ends_in_half(p->columns) && panel + 1 == panels;
    const size_t groups = (p->rows + max_rows[width] - 1) / max_rows[width];
    for (size_t g = 0; g < groups; g++) {
      const size_t row = p->rows * g / groups, rows = p->rows * (g + 1) / groups - row;
      if (panel + 1 < panels) fetch_panel(&p->b, (from + width) * LANES, g, groups);
      else fetch_panel(&p->next, 0, g, groups);
      tile_functions[half][width - (size_t)half][rows](p, row, from * LANES);
    }
  }
}

#endif
