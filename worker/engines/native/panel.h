/**
 * Layers applied to a block of LANES points: a state holds, for each neuron, a value and tangents as vectors
 * whose lanes are the points. Sums run over the neurons below, in ascending order, in each lane.
 */
#ifndef FTLE_PANEL_H
#define FTLE_PANEL_H

#include "kernel.h"
#include "vector.h"

/** Rows done side by side, so that weights and states are loaded once for several sums. */
#if REGISTERS == 32
#define PANEL 8
#else
#define PANEL 4
#endif

/** Streams (a value or a tangent each) done side by side. */
#define STREAMS 3

/**
 * Packs W [rows, cols] into panels of up to PANEL rows, [cols, rows of the panel] each; panels differ by at
 * most one row. `packed` needs rows·cols numbers.
 */
INLINE void pack_panels(const float *w, size_t stride, size_t rows, size_t cols, float *packed) {
  const size_t panels = (rows + PANEL - 1) / PANEL;
  for (size_t p = 0; p < panels; p++) {
    const size_t from = rows * p / panels, to = rows * (p + 1) / panels;
    for (size_t k = 0; k < cols; k++)
      for (size_t i = from; i < to; i++) *packed++ = w[i * stride + k];
  }
}

/** The most neurons that one of the first `depth` layers has. */
INLINE size_t widest_layer(const struct network *net, size_t depth) {
  size_t widest = 0;
  for (size_t l = 0; l < depth; l++)
    if (net->layer[l].rows > widest) widest = net->layer[l].rows;
  return widest;
}

/** Numbers that the weights of layers first … depth - 1 take. */
INLINE size_t count_weights(const struct network *net, size_t first, size_t depth) {
  size_t weights = 0;
  for (size_t l = first; l < depth; l++) weights += net->layer[l].rows * net->layer[l].cols;
  return weights;
}

/** Packs the weights of those layers one after the other; `starts[l]` is where layer l begins. */
INLINE void pack_layers(const struct network *net, size_t first, size_t depth, float *packed, float **starts) {
  for (size_t l = first; l < depth; l++) {
    const struct layer *layer = &net->layer[l];
    starts[l] = packed;
    pack_panels(layer->weight, layer->stride, layer->rows, layer->cols, packed);
    packed += layer->rows * layer->cols;
  }
}

/** sums[r][s] += Σ_k w[k, r]·in[k, s]; `in_step` vectors from a neuron to the next. */
INLINE void multiply(size_t rows, size_t streams, const float *w, const vf *in, size_t in_step, size_t cols,
                     vf sums[PANEL][STREAMS]) {
  for (size_t k = 0; k < cols; k++, w += rows, in += in_step) {
    vf s[STREAMS];
    _Pragma("GCC unroll 3") for (size_t i = 0; i < streams; i++) s[i] = in[i];
    _Pragma("GCC unroll 8") for (size_t r = 0; r < rows; r++) {
      const vf weight = splat(w[r]);
      _Pragma("GCC unroll 3") for (size_t i = 0; i < streams; i++) sums[r][i] = fma_(weight, s[i], sums[r][i]);
    }
  }
}

#if PANEL == 8
#define PANEL_CASES(DO) \
  case 1: DO(1); break; \
  case 2: DO(2); break; \
  case 3: DO(3); break; \
  case 4: DO(4); break; \
  case 5: DO(5); break; \
  case 6: DO(6); break; \
  case 7: DO(7); break; \
  default: DO(8)
#else
#define PANEL_CASES(DO) \
  case 1: DO(1); break; \
  case 2: DO(2); break; \
  case 3: DO(3); break; \
  default: DO(4)
#endif

#endif
