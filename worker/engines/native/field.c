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
  /** Blocks that go through the layers side by side. */
  size_t abreast;
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

/** LANES points on their way through the layers. */
struct block {
  vf x;
  vf y;
  /** [widest][STREAMS] each. */
  vf *below;
  vf *above;
  struct scaling scaling;
  /** Receives a slice for each layer that is kept. */
  struct slice *slices;
  vf output;
};

/** Most blocks abreast: while one waits for its activations, another multiplies. */
#define MAX_ABREAST 2

/** Sends `count` blocks through the network; fills their slices, output and scaling. */
INLINE void send_blocks(const struct plan *plan, enum activation g, size_t rescale_every, struct block *blocks,
                        size_t count) {
  const struct network *net = plan->network;
  size_t slice = 0;
  int is_rank_one = 0;
  for (size_t n = 0; n < count; n++) blocks[n].scaling = (struct scaling){splat(0), splat_int(-1)};
  for (size_t l = 1; l <= plan->depth; l++) {
    const struct layer *layer = &net->layer[l - 1];
    is_rank_one |= layer->rows == 1;
    const int is_kept = plan->all_layers || l == plan->depth;
    for (size_t n = 0; n < count; n++) {
      struct block *block = &blocks[n];
      if (l == 1) enter_plane(layer, g, block->x, block->y, block->above);
      else push_forward(layer, g, plan->packed[l - 1], block->below, block->above);
    }
    for (size_t n = 0; n < count; n++) {
      struct block *block = &blocks[n];
      if (is_kept || l % rescale_every == 0) rescale(layer->rows, block->above, &block->scaling);
      if (is_kept)
        block->slices[slice] = stretching(layer->rows, l, is_rank_one, block->above, block->scaling.exponent,
                                          is_finite(block->x) & is_finite(block->y));
      vf *swap = block->below;
      block->below = block->above;
      block->above = swap;
    }
    if (is_kept) slice++;
  }
  const struct layer *last = &net->layer[plan->depth];
  for (size_t n = 0; n < count; n++) {
    vf b = splat(last->bias[0]);
    for (size_t k = 0; k < last->cols; k++) b = fma_(splat(last->weight[k]), blocks[n].below[STREAMS * k], b);
    blocks[n].output = activate((enum activation)net->output, b).x;
  }
}

#define SENDER(NAME, G)                                                                                    \
  static __attribute__((noinline)) void NAME(const struct plan *plan, size_t every, struct block *blocks, \
                                             size_t count) {                                              \
    send_blocks(plan, G, every, blocks, count);                                                           \
  }
SENDER(send_tanh, TANH)
SENDER(send_relu, RELU)
SENDER(send_sigmoid, SIGMOID)
SENDER(send_linear, LINEAR)

typedef void (*sender)(const struct plan *, size_t, struct block *, size_t);

static sender sender_of(enum activation g) {
  switch (g) {
    case TANH: return send_tanh;
    case RELU: return send_relu;
    case SIGMOID: return send_sigmoid;
    default: return send_linear;
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

/** Where the next block begins. */
struct cursor {
  size_t point;
  size_t row;
  size_t column;
};

/** Gives a block its points; those beyond the last repeat zero. */
static void fill_block(struct points points, struct cursor *at, struct block *block) {
  block->x = block->y = splat(0);
  for (size_t i = 0; i < LANES && at->point < points.count; i++, at->point++) {
    if (points.columns == 0) at->row = at->column = at->point;
    block->x[i] = points.x[at->column];
    block->y[i] = points.y[at->row];
    if (points.columns != 0 && ++at->column == points.columns) at->column = 0, at->row++;
  }
}

/** Does again, with rescaling after each layer, the lanes whose tangents float32 did not hold. */
static void mend_block(const struct plan *plan, sender send, struct block *block, struct slice *again, size_t slices) {
  const vi is_safe = block->scaling.is_safe;
  struct slice *first = block->slices;
  block->slices = again;
  send(plan, 1, block, 1);
  block->slices = first;
  for (size_t s = 0; s < slices; s++) {
    first[s].lambda1 = choose(is_safe, first[s].lambda1, again[s].lambda1);
    first[s].lambda2 = choose(is_safe, first[s].lambda2, again[s].lambda2);
    first[s].direction = choose(is_safe, first[s].direction, again[s].direction);
  }
}

static void store_block(const struct block *block, size_t from, size_t count, size_t slices, struct field field) {
  const size_t lanes = count - from < LANES ? count - from : LANES;
  for (size_t s = 0; s < slices; s++) {
    const size_t at = s * count + from;
    copy_lanes(field.lambda1 ? field.lambda1 + at : NULL, block->slices[s].lambda1, lanes);
    copy_lanes(field.lambda2 ? field.lambda2 + at : NULL, block->slices[s].lambda2, lanes);
    copy_lanes(field.direction ? field.direction + at : NULL, block->slices[s].direction, lanes);
  }
  const vf output = choose(is_finite(block->output), block->output, splat(NAN));
  copy_lanes(field.output ? field.output + from : NULL, output, lanes);
}

static enum status field_blocks(const struct plan *plan, struct points points, struct field field,
                                struct block *blocks, struct slice *again) {
  const size_t slices = plan->all_layers ? plan->depth : 1;
  const sender send = sender_of(plan->g);
  struct cursor at = {0, 0, 0};
  while (at.point < points.count) {
    if (is_stopped(plan->stop)) return STOPPED;
    const size_t from = at.point;
    size_t count = 0;
    while (count < plan->abreast && at.point < points.count) fill_block(points, &at, &blocks[count++]);
    send(plan, plan->rescale_every, blocks, count);
    for (size_t n = 0; n < count; n++) {
      if (any(~blocks[n].scaling.is_safe)) mend_block(plan, send, &blocks[n], again, slices);
      store_block(&blocks[n], from + n * LANES, points.count, slices, field);
    }
  }
  return DONE;
}

/** Numbers of states that the nearest cache holds beside the weights in use: 24 KiB. */
#define NEAREST 6144

enum status KERNEL(field)(const struct network *net, struct points points, int all_layers, struct field field,
                          stop_flag stop) {
  const size_t depth = net->layers - 1;
  const size_t state = widest_layer(net, depth) * STREAMS * sizeof(vf);
  const size_t slices = (all_layers ? depth : 1) * sizeof(struct slice);
  const size_t abreast = MAX_ABREAST * 2 * state <= NEAREST * sizeof(float) ? MAX_ABREAST : 1;
  char *room = allocate(abreast * (2 * state + slices) + slices);
  float *packed = allocate(count_weights(net, 1, depth) * sizeof *packed);
  float **starts = allocate(depth * sizeof *starts);
  enum status status = NO_MEMORY;
  if (room != NULL && packed != NULL && starts != NULL) {
    pack_layers(net, 1, depth, packed, starts);
    const struct plan plan = {
        .network = net,
        .g = (enum activation)net->hidden,
        .depth = depth,
        .all_layers = all_layers,
        .stop = stop,
        .packed = starts,
        .rescale_every = rescaling_period(net, depth),
        .abreast = abreast,
    };
    struct block blocks[MAX_ABREAST];
    char *next = room;
    for (size_t n = 0; n < abreast; n++, next += 2 * state + slices) {
      blocks[n].below = (vf *)next;
      blocks[n].above = (vf *)(next + state);
      blocks[n].slices = (struct slice *)(next + 2 * state);
    }
    status = field_blocks(&plan, points, field, blocks, (struct slice *)next);
  }
  free(room);
  free(packed);
  free(starts);
  return status;
}
