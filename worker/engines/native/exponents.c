/** λ₁ and λ₂ at points of any input dimension: a value and one tangent for each column of the first factor. */
#include "elementary.h"
#include "panel.h"

#include <math.h>
#include <stdlib.h>

struct plan {
  const struct network *network;
  const float *factor;
  /** Tangents: columns of `factor`. */
  size_t tangents;
  size_t depth;
  float **packed;
  /** [N_0]: the inputs of a block. */
  vf *inputs;
  /** [widest][1 + tangents] each: value, then tangents. */
  vf *below;
  vf *above;
  /** [widest]. */
  vf *slope;
};

INLINE vi is_finite(vf v) { return (v - v) == 0; }

INLINE void panel_sums(size_t rows, size_t streams, const float *w, const vf *below, size_t step, size_t cols,
                       vf sums[PANEL][STREAMS]) {
#define DO(R) multiply(R, streams, w, below, step, cols, sums)
  switch (rows) { PANEL_CASES(DO); }
#undef DO
}

static __attribute__((noinline)) void streams_of_panel(size_t rows, size_t streams, const float *w,
                                                       const vf *below, size_t step, size_t cols,
                                                       vf sums[PANEL][STREAMS]) {
  switch (streams) {
    case 1: panel_sums(rows, 1, w, below, step, cols, sums); break;
    case 2: panel_sums(rows, 2, w, below, step, cols, sums); break;
    default: panel_sums(rows, 3, w, below, step, cols, sums);
  }
}

static void values(const struct plan *plan, size_t l, size_t step) {
  const struct layer *layer = &plan->network->layer[l];
  const size_t panels = (layer->rows + PANEL - 1) / PANEL;
  const vf *below = l == 0 ? plan->inputs : plan->below;
  for (size_t p = 0; p < panels; p++) {
    const size_t from = layer->rows * p / panels, rows = layer->rows * (p + 1) / panels - from;
    vf sums[PANEL][STREAMS];
    for (size_t r = 0; r < rows; r++) sums[r][0] = splat(layer->bias[from + r]);
    streams_of_panel(rows, 1, plan->packed[l] + from * layer->cols, below, l == 0 ? 1 : step, layer->cols, sums);
    for (size_t r = 0; r < rows; r++) {
      const struct activated a = activate((enum activation)plan->network->hidden, sums[r][0]);
      plan->above[(from + r) * step] = a.x;
      plan->slope[from + r] = a.slope;
    }
  }
}

static void tangents(const struct plan *plan, size_t l, size_t step) {
  const struct layer *layer = &plan->network->layer[l];
  if (l == 0) {
    for (size_t i = 0; i < layer->rows; i++)
      for (size_t c = 0; c < plan->tangents; c++)
        plan->above[i * step + 1 + c] = plan->slope[i] * splat(plan->factor[i * plan->tangents + c]);
    return;
  }
  const size_t panels = (layer->rows + PANEL - 1) / PANEL;
  for (size_t p = 0; p < panels; p++) {
    const size_t from = layer->rows * p / panels, rows = layer->rows * (p + 1) / panels - from;
    for (size_t c = 0; c < plan->tangents; c += STREAMS) {
      const size_t streams = plan->tangents - c < STREAMS ? plan->tangents - c : STREAMS;
      vf sums[PANEL][STREAMS];
      memset(sums, 0, sizeof sums);
      streams_of_panel(rows, streams, plan->packed[l] + from * layer->cols, plan->below + 1 + c, step,
                       layer->cols, sums);
      for (size_t r = 0; r < rows; r++)
        for (size_t s = 0; s < streams; s++)
          plan->above[(from + r) * step + 1 + c + s] = plan->slope[from + r] * sums[r][s];
    }
  }
}

/** Brings each lane's greatest element into [1, 2) by a power of two; gives its exponent. */
static vf rescale(vf *state, size_t width, size_t step) {
  vi greatest = splat_int(0);
  for (size_t i = 0; i < width; i++)
    for (size_t c = 1; c < step; c++) greatest = larger(greatest, (vi)absolute(state[i * step + c]));
  const vi found = (greatest >> 23) - 127;
  const vi exponent = -larger(-larger(found, splat_int(-126)), splat_int(-126));
  const vf factor = (vf)((127 - exponent) << 23);
  for (size_t i = 0; i < width; i++)
    for (size_t c = 1; c < step; c++) state[i * step + c] *= factor;
  return __builtin_convertvector(exponent, vf);
}

/** `count` vectors of `length` elements; element k of vector i at i·step + k·stride. */
struct vectors {
  vf *at;
  size_t count;
  size_t length;
  size_t step;
  size_t stride;
};

#define MAX_SWEEPS 30
/** Cosine of the angle from which two vectors count as orthogonal; it enters singular values squared. */
#define ORTHOGONAL 9.5367432e-7f

/** One sweep of one-sided Jacobi rotations (Golub & Van Loan, 4th ed., §8.6.3); false if none was needed. */
static int rotate_all_pairs(struct vectors v) {
  vi is_changed = splat_int(0);
  for (size_t p = 0; p + 1 < v.count; p++) {
    for (size_t q = p + 1; q < v.count; q++) {
      vf *P = v.at + p * v.step, *Q = v.at + q * v.step;
      vf alpha = splat(0), beta = alpha, gamma = alpha;
      for (size_t k = 0; k < v.length; k++) {
        const vf a = P[k * v.stride], b = Q[k * v.stride];
        alpha = fma_(a, a, alpha);
        beta = fma_(b, b, beta);
        gamma = fma_(a, b, gamma);
      }
      const vf limit = splat(ORTHOGONAL) * square_root(alpha) * square_root(beta);
      const vi turns = (vi)(absolute(gamma) > limit) & is_finite(gamma);
      if (!any(turns)) continue;
      is_changed |= turns;
      const vf zeta = (beta - alpha) / (choose(turns, gamma, splat(1)) * splat(2));
      const vf size = absolute(zeta) + square_root(fma_(zeta, zeta, splat(1)));
      const vf t = choose(turns, with_sign(splat(1) / size, zeta), splat(0));
      const vf cosine = splat(1) / square_root(fma_(t, t, splat(1)));
      const vf sine = cosine * t;
      for (size_t k = 0; k < v.length; k++) {
        const vf a = P[k * v.stride], b = Q[k * v.stride];
        P[k * v.stride] = fma_(cosine, a, -(sine * b));
        Q[k * v.stride] = fma_(sine, a, cosine * b);
      }
    }
  }
  return any(is_changed);
}

/** Squares of the two greatest singular values of `vectors`, which it makes orthogonal. */
static void greatest_two(struct vectors v, vf *first, vf *second) {
  for (int sweep = 0; sweep < MAX_SWEEPS; sweep++)
    if (!rotate_all_pairs(v)) break;
  *first = *second = splat(0);
  for (size_t i = 0; i < v.count; i++) {
    vf square = splat(0);
    for (size_t k = 0; k < v.length; k++) {
      const vf a = v.at[i * v.step + k * v.stride];
      square = fma_(a, a, square);
    }
    const vi is_first = (vi)(square > *first) | (vi)(square != square);
    *second = choose(is_first, *first, choose((vi)(square > *second), square, *second));
    *first = choose(is_first, square, *first);
  }
}

static void block(const struct plan *plan, vf *lambda1, vf *lambda2) {
  const struct network *net = plan->network;
  struct plan at = *plan;
  const size_t step = 1 + plan->tangents;
  vf exponent = splat(0);
  size_t rank = plan->tangents, width = 0;
  for (size_t l = 0; l < plan->depth; l++) {
    width = net->layer[l].rows;
    if (width < rank) rank = width;
    values(&at, l, step);
    tangents(&at, l, step);
    exponent += rescale(at.above, width, step);
    vf *swap = at.below;
    at.below = at.above;
    at.above = swap;
  }
  vf *J = at.below + 1;
  const struct vectors columns = {J, plan->tangents, width, 1, step}, rows = {J, width, plan->tangents, step, 1};
  vf first, second;
  greatest_two(plan->tangents <= width ? columns : rows, &first, &second);
  vi is_input_finite = splat_int(-1);
  for (size_t k = 0; k < net->layer[0].cols; k++) is_input_finite &= is_finite(plan->inputs[k]);
  const vi is_stretched = (vi)(first > 0) & is_finite(first) & is_input_finite;
  const vi is_line = (vi)(second == 0) | splat_int(rank < 2 ? -1 : 0);
  const struct logarithm log1 = logarithm_(first), log2 = logarithm_(second);
  const vf half = splat(0.5f), depth = splat((float)plan->depth);
  const vf l1 = log_of(fma_(half, log1.k, exponent), half * log1.ln_m) / depth;
  const vf l2 = log_of(fma_(half, log2.k, exponent), half * log2.ln_m) / depth;
  *lambda1 = choose(is_stretched, l1, splat(NAN));
  *lambda2 = choose(is_stretched, choose(is_line, splat(-INFINITY), l2), splat(NAN));
}

enum status KERNEL(exponents)(const struct network *net, const float *factor, const float *inputs, size_t count,
                              float *lambda1, float *lambda2, stop_flag stop) {
  const size_t depth = net->layers - 1, N0 = net->layer[0].cols;
  const size_t columns = N0 < net->layer[0].rows ? N0 : net->layer[0].rows;
  const size_t widest = widest_layer(net, depth);
  const size_t state = widest * (1 + columns);
  vf *room = allocate((2 * state + widest + N0) * sizeof *room);
  float *packed = allocate(count_weights(net, 0, depth) * sizeof *packed);
  float **starts = allocate(depth * sizeof *starts);
  enum status status = NO_MEMORY;
  if (room != NULL && packed != NULL && starts != NULL) {
    pack_layers(net, 0, depth, packed, starts);
    const struct plan plan = {
        .network = net,
        .factor = factor,
        .tangents = columns,
        .depth = depth,
        .packed = starts,
        .below = room,
        .above = room + state,
        .slope = room + 2 * state,
        .inputs = room + 2 * state + widest,
    };
    status = DONE;
    for (size_t from = 0; from < count && status == DONE; from += LANES) {
      const size_t lanes = count - from < LANES ? count - from : LANES;
      for (size_t k = 0; k < N0; k++) {
        vf x = splat(0);
        for (size_t i = 0; i < lanes; i++) x[i] = inputs[(from + i) * N0 + k];
        plan.inputs[k] = x;
      }
      vf first, second;
      block(&plan, &first, &second);
      memcpy(lambda1 + from, &first, lanes * sizeof *lambda1);
      memcpy(lambda2 + from, &second, lanes * sizeof *lambda2);
      if (is_stopped(stop)) status = STOPPED;
    }
  }
  free(room);
  free(packed);
  free(starts);
  return status;
}
