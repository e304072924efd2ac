/** λ₁, λ₂, direction and output over a plane of inputs (Storm et al., PRL 132, 057301, Eq. 1). */
#include "elementary.h"
#include "panel.h"

#include <math.h>
#include <stdlib.h>

/** What one field needs, made once for all of its blocks. */
struct plan {
  const struct network *network;
  enum activation g;
  size_t depth;
  int all_layers;
  stop_flag stop;
  /** [depth]: packed weights of each hidden layer; the first is not used. */
  float **packed;
  /** Layers after which tangents are brought back to size, so that float32 holds them in between. */
  size_t rescale_every;
  /** [widest][STREAMS] each. */
  vf *below;
  vf *above;
};

/** One layer of a block. */
struct slice {
  vf lambda1;
  vf lambda2;
  vf direction;
};

/**
 * Tangents of order one, whose greatest element 2^exponent leads back to. They were `safe` if float32 held
 * them with all their digits since the last time.
 */
struct scaling {
  vf exponent;
  vi is_safe;
};

INLINE vi is_finite(vf v) { return (v - v) == 0; }

INLINE void enter_plane(const struct layer *layer, enum activation g, vf x, vf y, vf *above) {
  for (size_t i = 0; i < layer->rows; i++, above += STREAMS) {
    const vf w0 = splat(layer->weight[i * layer->stride]), w1 = splat(layer->weight[i * layer->stride + 1]);
    const struct activated a = activate(g, fma_(w1, y, fma_(w0, x, splat(layer->bias[i]))));
    above[0] = a.x;
    above[1] = a.slope * w0;
    above[2] = a.slope * w1;
  }
}

INLINE void panel(size_t rows, enum activation g, const float *w, const float *bias, const vf *below,
                  size_t cols, vf *above) {
  vf sums[PANEL][STREAMS];
  _Pragma("GCC unroll 8") for (size_t r = 0; r < rows; r++) {
    sums[r][0] = splat(bias[r]);
    sums[r][1] = sums[r][2] = splat(0);
  }
  multiply(rows, STREAMS, w, below, STREAMS, cols, sums);
  _Pragma("GCC unroll 8") for (size_t r = 0; r < rows; r++) {
    const struct activated a = activate(g, sums[r][0]);
    above[STREAMS * r] = a.x;
    above[STREAMS * r + 1] = a.slope * sums[r][1];
    above[STREAMS * r + 2] = a.slope * sums[r][2];
  }
}

INLINE void push_forward(const struct layer *layer, enum activation g, const float *packed, const vf *below,
                         vf *above) {
  const size_t panels = (layer->rows + PANEL - 1) / PANEL;
  for (size_t p = 0; p < panels; p++) {
    const size_t from = layer->rows * p / panels, rows = layer->rows * (p + 1) / panels - from;
    const float *w = packed + from * layer->cols, *bias = layer->bias + from;
    vf *to = above + STREAMS * from;
#define DO(R) panel(R, g, w, bias, below, layer->cols, to)
    switch (rows) { PANEL_CASES(DO); }
#undef DO
  }
}

#define LEAST_EXPONENT -30
#define GREATEST_EXPONENT 60

/** Brings the greatest element of each lane's tangents into [1, 2) by a power of two, which changes no digit. */
INLINE void rescale(size_t width, vf *state, struct scaling *scaling) {
  vi greatest = splat_int(0);
  for (size_t i = 0; i < width; i++) {
    greatest = larger(greatest, (vi)absolute(state[STREAMS * i + 1]));
    greatest = larger(greatest, (vi)absolute(state[STREAMS * i + 2]));
  }
  const vi found = (greatest >> 23) - 127;
  const vi exponent = -larger(-larger(found, splat_int(-126)), splat_int(-126));
  const vf factor = (vf)((127 - exponent) << 23);
  for (size_t i = 0; i < width; i++) {
    state[STREAMS * i + 1] *= factor;
    state[STREAMS * i + 2] *= factor;
  }
  scaling->exponent += __builtin_convertvector(exponent, vf);
  scaling->is_safe &= (exponent >= LEAST_EXPONENT) & (exponent <= GREATEST_EXPONENT);
}

/**
 * With a = |u|², b = |v|², c = u·v of the tangents u and v: σ_1² = (a + b)/2 + sqrt(((a − b)/2)² + c²), the
 * angle ½ atan2(2c, a − b), and σ_2 = |u||w|/σ_1 with w = v − (c/a)u, where the other root would cancel.
 */
INLINE struct slice stretching(size_t width, size_t l, int is_rank_one, const vf *state, vf exponent,
                               vi is_input_finite) {
  vf a = splat(0), b = a, c = a, area = a;
  for (size_t i = 0; i < width; i++) {
    const vf u = state[STREAMS * i + 1], v = state[STREAMS * i + 2];
    a = fma_(u, u, a);
    b = fma_(v, v, b);
    c = fma_(u, v, c);
  }
  const vf slant = c / choose(a == 0, splat(1), a);
  for (size_t i = 0; i < width; i++) {
    const vf w = fnma(slant, state[STREAMS * i + 1], state[STREAMS * i + 2]);
    area = fma_(w, w, area);
  }
  const vf half_difference = (a - b) * splat(0.5f);
  const vf root = square_root(fma_(half_difference, half_difference, c * c));
  const struct logarithm first = logarithm_(fma_(a + b, splat(0.5f), root));
  const struct logarithm length = logarithm_(a), height = logarithm_(area);
  const vf half = splat(0.5f), depth = splat((float)l);
  const vf log1 = log_of(fma_(half, first.k, exponent), half * first.ln_m);
  const vf k2 = fma_(half, length.k + height.k - first.k, exponent);
  const vf log2 = log_of(k2, half * (length.ln_m + height.ln_m - first.ln_m));
  const vi is_stretched = (vi)(a + b > 0) & is_finite(a + b) & is_input_finite;
  const vi is_line = (vi)(a == 0) | (vi)(area == 0) | splat_int(is_rank_one ? -1 : 0);
  const vf none = splat(NAN);
  return (struct slice){
      choose(is_stretched, log1 / depth, none),
      choose(is_stretched, choose(is_line, splat(-INFINITY), log2 / depth), none),
      choose(is_stretched, half_angle(c, half_difference), none),
  };
}

/** Fills the slices of one block and its output; gives the lanes that were safe. */
INLINE vi block_of(const struct plan *plan, enum activation g, size_t rescale_every, vf x, vf y,
                   struct slice *slices, vf *output) {
  const struct network *net = plan->network;
  const vi is_input_finite = is_finite(x) & is_finite(y);
  struct scaling scaling = {splat(0), splat_int(-1)};
  vf *below = plan->below, *above = plan->above;
  int is_rank_one = 0;
  for (size_t l = 1; l <= plan->depth; l++) {
    const struct layer *layer = &net->layer[l - 1];
    if (l == 1) enter_plane(layer, g, x, y, above);
    else push_forward(layer, g, plan->packed[l - 1], below, above);
    is_rank_one |= layer->rows == 1;
    const int is_kept = plan->all_layers || l == plan->depth;
    if (is_kept || l % rescale_every == 0) rescale(layer->rows, above, &scaling);
    if (is_kept)
      *slices++ = stretching(layer->rows, l, is_rank_one, above, scaling.exponent, is_input_finite);
    vf *swap = below;
    below = above;
    above = swap;
  }
  const struct layer *last = &net->layer[plan->depth];
  vf b = splat(last->bias[0]);
  for (size_t k = 0; k < last->cols; k++) b = fma_(splat(last->weight[k]), below[STREAMS * k], b);
  *output = activate((enum activation)net->output, b).x;
  return scaling.is_safe;
}

#define BLOCK(NAME, G)                                                                                    \
  static __attribute__((noinline)) vi NAME(const struct plan *plan, size_t every, vf x, vf y,             \
                                           struct slice *slices, vf *output) {                            \
    return block_of(plan, G, every, x, y, slices, output);                                                \
  }
BLOCK(tanh_block, TANH)
BLOCK(relu_block, RELU)
BLOCK(sigmoid_block, SIGMOID)
BLOCK(linear_block, LINEAR)

typedef vi (*block_function)(const struct plan *, size_t, vf, vf, struct slice *, vf *);

static block_function block_function_of(enum activation g) {
  switch (g) {
    case TANH: return tanh_block;
    case RELU: return relu_block;
    case SIGMOID: return sigmoid_block;
    default: return linear_block;
  }
}

/**
 * A layer stretches the greatest element of a tangent at most by its greatest row sum of |W|. As many layers
 * may pass without rescaling as keep that below 2³⁰; a lane whose tangents shrank instead is not safe.
 */
static size_t rescaling_period(const struct network *net, size_t depth) {
  double bound = 1;
  for (size_t l = 1; l < depth; l++) {
    const struct layer *layer = &net->layer[l];
    for (size_t i = 0; i < layer->rows; i++) {
      double sum = 0;
      for (size_t j = 0; j < layer->cols; j++) sum += fabs(layer->weight[i * layer->stride + j]);
      if (sum > bound) bound = sum;
    }
  }
  size_t period = 1;
  for (double growth = bound * bound; growth < 1073741824.0 && period < depth; growth *= bound) period++;
  return period;
}

static void copy_lanes(float *to, vf v, size_t lanes) {
  if (to != NULL) memcpy(to, &v, lanes * sizeof *to);
}

static void field_blocks(const struct plan *plan, struct points points, struct field field, struct slice *slices,
                         enum status *status) {
  const size_t count = plan->all_layers ? plan->depth : 1;
  const block_function block = block_function_of(plan->g);
  struct slice *again = slices + count;
  size_t row = 0, column = 0;
  for (size_t from = 0; from < points.count; from += LANES) {
    if (is_stopped(plan->stop)) {
      *status = STOPPED;
      return;
    }
    const size_t lanes = points.count - from < LANES ? points.count - from : LANES;
    vf x = splat(0), y = x, output;
    for (size_t i = 0; i < lanes; i++) {
      if (points.columns == 0) column = row = from + i;
      x[i] = points.x[column];
      y[i] = points.y[row];
      if (points.columns != 0 && ++column == points.columns) column = 0, row++;
    }
    const vi is_safe = block(plan, plan->rescale_every, x, y, slices, &output);
    if (any(~is_safe)) {
      block(plan, 1, x, y, again, &output);
      for (size_t s = 0; s < count; s++) {
        slices[s].lambda1 = choose(is_safe, slices[s].lambda1, again[s].lambda1);
        slices[s].lambda2 = choose(is_safe, slices[s].lambda2, again[s].lambda2);
        slices[s].direction = choose(is_safe, slices[s].direction, again[s].direction);
      }
    }
    for (size_t s = 0; s < count; s++) {
      const size_t at = s * points.count + from;
      copy_lanes(field.lambda1 ? field.lambda1 + at : NULL, slices[s].lambda1, lanes);
      copy_lanes(field.lambda2 ? field.lambda2 + at : NULL, slices[s].lambda2, lanes);
      copy_lanes(field.direction ? field.direction + at : NULL, slices[s].direction, lanes);
    }
    copy_lanes(field.output ? field.output + from : NULL, choose(is_finite(output), output, splat(NAN)), lanes);
  }
}

enum status KERNEL(field)(const struct network *net, struct points points, int all_layers, struct field field,
                          stop_flag stop) {
  const size_t depth = net->layers - 1;
  size_t widest = 0, weights = 0;
  for (size_t l = 0; l < depth; l++) {
    const size_t rows = net->layer[l].rows;
    if (rows > widest) widest = rows;
    if (l > 0) weights += rows * net->layer[l].cols;
  }
  const size_t state = widest * STREAMS * sizeof(vf);
  const size_t slices = 2 * (all_layers ? depth : 1) * sizeof(struct slice);
  char *room = allocate(2 * state + slices);
  float *packed = allocate(weights * sizeof *packed);
  float **starts = allocate(depth * sizeof *starts);
  enum status status = NO_MEMORY;
  if (room != NULL && packed != NULL && starts != NULL) {
    float *at = packed;
    for (size_t l = 1; l < depth; l++) {
      const struct layer *layer = &net->layer[l];
      starts[l] = at;
      pack_panels(layer->weight, layer->stride, layer->rows, layer->cols, at);
      at += layer->rows * layer->cols;
    }
    const struct plan plan = {
        .network = net,
        .g = (enum activation)net->hidden,
        .depth = depth,
        .all_layers = all_layers,
        .stop = stop,
        .packed = starts,
        .rescale_every = rescaling_period(net, depth),
        .below = (vf *)room,
        .above = (vf *)(room + state),
    };
    status = DONE;
    field_blocks(&plan, points, field, (struct slice *)(room + 2 * state), &status);
  }
  free(room);
  free(packed);
  free(starts);
  return status;
}
