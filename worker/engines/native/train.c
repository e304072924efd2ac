/** Mini-batch training, and activations of whole data sets. Arrays over a batch are [samples, neurons]. */
#include "elementary.h"
#include "product.h"
#include "scalar.h"

#include <stdlib.h>

/** Samples that go through the layers together; a batch's gradient is summed over its blocks in order. */
#define BLOCK 128

/** One layer's room for a block. */
struct buffers {
  /** x^(l), [BLOCK, stride]. */
  float *x;
  /** g'(b^(l)). */
  float *slope;
  /** ∂loss/∂b^(l). */
  float *delta;
  /** ∂loss/∂W^(l) in the shape of the layer, and ∂loss/∂bias. */
  float *gradient;
  float *bias_gradient;
  /** Moments in the shape of the layer, two at most, each weights then biases. */
  float *moments[2];
};

/** Buffers of layers 0 (the inputs: x alone) … `layers`. */
struct room {
  float *memory;
  struct buffers *of;
};

static size_t stride_below(const struct network *net, size_t l) { return stride_of(net->widths[l]); }

static size_t padded_weights(const struct layer *layer) { return layer->rows * layer->stride; }

/** Lays the buffers out one after another; with `of` null it only counts. */
static size_t lay_out(const struct network *net, int is_training, size_t moment_count, float *memory,
                      struct buffers *of) {
  size_t used = 0;
#define TAKE(field, count)                     \
  do {                                         \
    if (of != NULL) of[l].field = memory + used; \
    used += stride_of(count);                  \
  } while (0)
  for (size_t l = 0; l <= net->layers; l++) {
    TAKE(x, BLOCK * stride_below(net, l));
    if (l == 0) continue;
    TAKE(slope, BLOCK * stride_below(net, l));
    if (!is_training) continue;
    const struct layer *layer = &net->layer[l - 1];
    const size_t weights = padded_weights(layer), biases = layer->transposed_stride;
    TAKE(delta, BLOCK * stride_below(net, l));
    TAKE(gradient, weights);
    TAKE(bias_gradient, biases);
    for (size_t m = 0; m < moment_count; m++) TAKE(moments[m], weights + biases);
  }
#undef TAKE
  return used;
}

static struct room make_room(const struct network *net, int is_training, size_t moment_count) {
  const size_t numbers = lay_out(net, is_training, moment_count, NULL, NULL);
  struct room room = {allocate(numbers * sizeof(float)), allocate((net->layers + 1) * sizeof(struct buffers))};
  if (room.memory == NULL || room.of == NULL) {
    free(room.memory);
    free(room.of);
    return (struct room){NULL, NULL};
  }
  memset(room.memory, 0, numbers * sizeof(float)); // padding must hold numbers
  lay_out(net, is_training, moment_count, room.memory, room.of);
  return room;
}

static void free_room(struct room room) {
  free(room.memory);
  free(room.of);
}

INLINE size_t rounded_up(size_t columns) { return (columns + LANES - 1) / LANES * LANES; }

INLINE void activate_rows(enum activation g, struct buffers *to, size_t samples, size_t width, size_t stride) {
  for (size_t s = 0; s < samples; s++) {
    for (size_t i = s * stride; i < s * stride + width; i += LANES) {
      const struct activated a = activate(g, load(to->x + i));
      store(to->x + i, a.x);
      store(to->slope + i, a.slope);
    }
  }
}

/** b = W x + bias, then x = g(b) and g'(b). The last layer's b stays in `delta` if `keeps_fields`. */
static void forward_layer(const struct network *net, size_t l, struct buffers *of, size_t samples,
                          int keeps_fields) {
  const struct layer *layer = &net->layer[l - 1];
  const size_t stride = stride_below(net, l), width = rounded_up(layer->rows);
  multiply_matrices(&(struct product){
      .c = of[l].x,
      .c_stride = stride,
      .start = layer->bias,
      .start_stride = 0,
      .a = of[l - 1].x,
      .a_row = stride_below(net, l - 1),
      .a_term = 1,
      .b = layer->transposed,
      .b_stride = layer->transposed_stride,
      .rows = samples,
      .terms = layer->cols,
      .columns = layer->rows,
  });
  if (keeps_fields) memcpy(of[l].delta, of[l].x, samples * stride * sizeof(float));
  switch (l < net->layers ? net->hidden : net->output) {
    case TANH: activate_rows(TANH, &of[l], samples, width, stride); break;
    case RELU: activate_rows(RELU, &of[l], samples, width, stride); break;
    case SIGMOID: activate_rows(SIGMOID, &of[l], samples, width, stride); break;
    default: activate_rows(LINEAR, &of[l], samples, width, stride);
  }
}

enum status KERNEL(activations)(const struct network *net, const float *inputs, size_t count, size_t layer,
                                double *x, stop_flag stop) {
  struct room room = make_room(net, 0, 0);
  if (room.memory == NULL) return NO_MEMORY;
  const size_t N0 = net->widths[0], width = net->widths[layer];
  enum status status = DONE;
  for (size_t from = 0; from < count && status == DONE; from += BLOCK) {
    const size_t samples = count - from < BLOCK ? count - from : BLOCK;
    for (size_t s = 0; s < samples; s++)
      memcpy(room.of[0].x + s * stride_below(net, 0), inputs + (from + s) * N0, N0 * sizeof(float));
    for (size_t l = 1; l <= layer; l++) forward_layer(net, l, room.of, samples, 0);
    for (size_t s = 0; s < samples; s++)
      for (size_t i = 0; i < width; i++)
        x[(from + s) * width + i] = room.of[layer].x[s * stride_below(net, layer) + i];
    if (is_stopped(stop)) status = STOPPED;
  }
  free_room(room);
  return status;
}

/** Gives a sample's loss and leaves ∂loss/∂b in `delta`, which holds b; `exponentials` has room for a row. */
static double loss_of_sample(enum loss loss, const float *x, const float *slope, const float *target,
                             float *delta, size_t outputs) {
  double sum = 0;
  switch (loss) {
    case SQUARED_ERROR:
      for (size_t i = 0; i < outputs; i++) {
        const float error = x[i] - target[i];
        sum += (double)error * error;
        delta[i] = 2 * error * slope[i];
      }
      return sum;
    case SOFTMAX_CROSS_ENTROPY: {
      // x is b: the output layer is linear.
      float greatest = x[0];
      for (size_t i = 1; i < outputs; i++)
        if (x[i] > greatest) greatest = x[i];
      float partition = 0;
      for (size_t i = 0; i < outputs; i += LANES) {
        vf e = splat(0);
        const size_t lanes = outputs - i < LANES ? outputs - i : LANES;
        memcpy(&e, x + i, lanes * sizeof(float));
        e = exp_negative(splat(greatest) - e);
        memcpy(delta + i, &e, lanes * sizeof(float));
      }
      for (size_t i = 0; i < outputs; i++) partition += delta[i];
      const double log_z = (double)greatest + log_double(partition);
      for (size_t i = 0; i < outputs; i++) {
        if (target[i] != 0) sum -= target[i] * ((double)x[i] - log_z);
        delta[i] = delta[i] / partition - target[i];
      }
      return sum;
    }
    default:
      for (size_t i = 0; i < outputs; i++) {
        const double b = delta[i], size = b < 0 ? -b : b;
        sum += (b > 0 || b != b ? b : 0) - b * target[i] + log1p_double(exp_double(-size));
        delta[i] = x[i] - target[i];
      }
      return sum;
  }
}

static int is_correct(const struct network *net, const float *x, const float *target, size_t outputs) {
  if (outputs == 1) {
    const float boundary = net->output == SIGMOID ? 0.5f : 0;
    return (x[0] > boundary) == (target[0] > boundary);
  }
  size_t most = 0, wanted = 0;
  for (size_t i = 1; i < outputs; i++) {
    if (x[i] > x[most]) most = i;
    if (target[i] > target[wanted]) wanted = i;
  }
  return most == wanted;
}

/** Statistics of a block, and ∂(mean loss of the batch)/∂b of its output layer. */
static void output_deltas(const struct network *net, const struct pass *pass, const uint32_t *order, size_t samples,
                          size_t batch, struct buffers *of, struct stats *stats) {
  const size_t outputs = net->widths[net->layers], stride = stride_below(net, net->layers);
  const struct buffers *last = &of[net->layers];
  const float size = (float)batch;
  for (size_t s = 0; s < samples; s++) {
    const float *x = last->x + s * stride, *target = pass->set->targets + (size_t)order[s] * outputs;
    float *delta = last->delta + s * stride;
    stats->correct += is_correct(net, x, target, outputs);
    stats->loss_sum += loss_of_sample(pass->rule->loss, x, last->slope + s * stride, target, delta, outputs);
    for (size_t i = 0; i < outputs; i++) delta[i] = delta[i] / size;
  }
}

/** Sums δ^(l)ᵀ x^(l−1) and δ^(l) over a block's samples, beginning with `zeros` or going on where the last block ended. */
static void add_gradient(const struct network *net, size_t l, const struct buffers *of, size_t samples,
                         const float *zeros) {
  const struct layer *layer = &net->layer[l - 1];
  const size_t stride = stride_below(net, l);
  multiply_matrices(&(struct product){
      .c = of[l].gradient,
      .c_stride = layer->stride,
      .start = zeros ? zeros : of[l].gradient,
      .start_stride = zeros ? 0 : layer->stride,
      .a = of[l].delta,
      .a_row = 1,
      .a_term = stride,
      .b = of[l - 1].x,
      .b_stride = stride_below(net, l - 1),
      .rows = layer->rows,
      .terms = samples,
      .columns = layer->cols,
  });
  for (size_t i = 0; i < layer->rows; i += LANES) {
    vf sum = zeros ? splat(0) : load(of[l].bias_gradient + i);
    for (size_t s = 0; s < samples; s++) sum += load(of[l].delta + s * stride + i);
    store(of[l].bias_gradient + i, sum);
  }
}

/** δ^(l−1) = g'(b^(l−1)) ⊙ W^(l)ᵀ δ^(l). */
static void backward_layer(const struct network *net, size_t l, struct buffers *of, size_t samples,
                           const float *zeros) {
  const struct layer *layer = &net->layer[l - 1];
  const size_t stride = stride_below(net, l - 1), width = rounded_up(layer->cols);
  multiply_matrices(&(struct product){
      .c = of[l - 1].delta,
      .c_stride = stride,
      .start = zeros,
      .start_stride = 0,
      .a = of[l].delta,
      .a_row = stride_below(net, l),
      .a_term = 1,
      .b = layer->weight,
      .b_stride = layer->stride,
      .rows = samples,
      .terms = layer->rows,
      .columns = layer->cols,
  });
  for (size_t s = 0; s < samples; s++)
    for (size_t i = s * stride; i < s * stride + width; i += LANES)
      store(of[l - 1].delta + i, load(of[l - 1].delta + i) * load(of[l - 1].slope + i));
}

/** Moves parameters w along their gradient; conventions as in `shared/numerics/optimizers.ts`. */
INLINE void update(const struct rule *rule, const float *corrections, float decay, size_t count, float *w,
                   float *gradient, float *const moments[2], int has_moment) {
  const vf rate = splat(rule->learning_rate), d1 = splat(rule->decay1), f1 = splat(rule->fresh1);
  for (size_t i = 0; i < count; i += LANES) {
    const vf old = load(w + i);
    const vf g = fma_(splat(decay), old, load(gradient + i));
    vf step;
    switch (rule->optimizer) {
      case SGD: {
        vf v = g;
        if (has_moment) {
          v = fma_(d1, load(moments[0] + i), g);
          store(moments[0] + i, v);
        }
        step = fnma(rate, v, old);
        break;
      }
      case ADAM: {
        const vf m = fma_(d1, load(moments[0] + i), f1 * g);
        const vf v = fma_(splat(rule->decay2), load(moments[1] + i), splat(rule->fresh2) * (g * g));
        store(moments[0] + i, m);
        store(moments[1] + i, v);
        const vf size = square_root(v / splat(corrections[1])) + splat(rule->epsilon);
        step = old - rate * (m / splat(corrections[0])) / size;
        break;
      }
      default: {
        const vf v = fma_(d1, load(moments[0] + i), f1 * (g * g));
        store(moments[0] + i, v);
        step = old - rate * g / (square_root(v) + splat(rule->epsilon));
      }
    }
    store(w + i, step);
  }
}

typedef float v4 __attribute__((vector_size(16)));

/** Wᵀ from W in squares of four; both have room for whole squares. A line of Wᵀ is filled before the next. */
static void transpose(struct layer *layer) {
  const size_t from = layer->stride, to = layer->transposed_stride;
  const size_t squares = (layer->rows + 3) / 4, wide = (layer->cols + 3) / 4, at_once = LINE / 4;
  for (size_t first = 0; first < squares; first += at_once) {
    const size_t end = first + at_once < squares ? first + at_once : squares;
    for (size_t square = 0; square < wide; square++)
    for (size_t i = 4 * first, j = 4 * square; i < 4 * end; i += 4) {
      const float *w = layer->weight + i * from + j;
      float *t = layer->transposed + j * to + i;
      const v4 a = *(const v4 *)w, b = *(const v4 *)(w + from), c = *(const v4 *)(w + 2 * from),
               d = *(const v4 *)(w + 3 * from);
      const v4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), AB = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      const v4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), CD = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      *(v4 *)t = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
      *(v4 *)(t + to) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
      *(v4 *)(t + 2 * to) = __builtin_shufflevector(AB, CD, 0, 1, 4, 5);
      *(v4 *)(t + 3 * to) = __builtin_shufflevector(AB, CD, 2, 3, 6, 7);
    }
  }
}

static void update_layer(struct layer *layer, struct buffers *of, const struct pass *pass, const float *corrections) {
  const struct rule *rule = pass->rule;
  const size_t weights = padded_weights(layer);
  float *bias_moments[2] = {NULL, NULL};
  for (size_t m = 0; m < pass->moment_count; m++) bias_moments[m] = of->moments[m] + weights;
  const int has_moment = pass->moment_count > 0;
  update(rule, corrections, rule->weight_decay, weights, layer->weight, of->gradient, of->moments, has_moment);
  update(rule, corrections, 0, rounded_up(layer->rows), layer->bias, of->bias_gradient, bias_moments, has_moment);
  transpose(layer);
}

/** Copies moments between the caller's dense arrays and the padded ones here. */
static void copy_moments(const struct network *net, const struct pass *pass, struct buffers *of, int is_back) {
  for (size_t m = 0; m < pass->moment_count; m++) {
    float *dense = pass->moments + m * net->parameters;
    for (size_t l = 1; l <= net->layers; l++) {
      const struct layer *layer = &net->layer[l - 1];
      for (size_t i = 0; i <= layer->rows; i++) { // the last row is the biases
        const size_t length = i < layer->rows ? layer->cols : layer->rows;
        float *padded = of[l].moments[m] + i * layer->stride;
        memcpy(is_back ? dense : padded, is_back ? padded : dense, length * sizeof(float));
        dense += length;
      }
    }
  }
}

static enum status gather(const struct network *net, const struct pass *pass, const uint32_t *order, size_t samples,
                          float *x) {
  const size_t N0 = net->widths[0], stride = stride_below(net, 0);
  for (size_t s = 0; s < samples; s++) {
    const size_t sample = order[s];
    if (sample >= pass->set->samples) return BAD_INDEX;
    memcpy(x + s * stride, pass->set->inputs + sample * N0, N0 * sizeof(float));
  }
  return DONE;
}

static void step_block(struct network *net, const struct pass *pass, const uint32_t *order, size_t samples, size_t batch,
                       int is_first, size_t lowest, struct room room, const float *zeros, struct stats *stats) {
  for (size_t l = 1; l <= net->layers; l++) forward_layer(net, l, room.of, samples, l == net->layers);
  output_deltas(net, pass, order, samples, batch, room.of, stats);
  for (size_t l = net->layers; l >= lowest; l--) {
    if (!pass->rule->frozen[l - 1]) add_gradient(net, l, room.of, samples, is_first ? zeros : NULL);
    if (l > lowest) backward_layer(net, l, room.of, samples, zeros);
  }
}

static enum status train_batches(struct network *net, const struct pass *pass, struct room room, const float *zeros,
                                 struct stats *stats, stop_flag stop) {
  size_t lowest = 1; // the lowest layer that learns
  while (lowest <= net->layers && pass->rule->frozen[lowest - 1]) lowest++;
  const float *corrections = pass->corrections;
  for (size_t from = 0; from < pass->count; from += pass->rule->batch) {
    const size_t left = pass->count - from, batch = left < pass->rule->batch ? left : pass->rule->batch;
    for (size_t at = 0; at < batch; at += BLOCK) {
      if (is_stopped(stop)) return STOPPED;
      const size_t samples = batch - at < BLOCK ? batch - at : BLOCK;
      const uint32_t *order = pass->order + from + at;
      if (gather(net, pass, order, samples, room.of[0].x) != DONE) return BAD_INDEX;
      step_block(net, pass, order, samples, batch, at == 0, lowest, room, zeros, stats);
    }
    for (size_t l = lowest; l <= net->layers; l++)
      if (!pass->rule->frozen[l - 1]) update_layer(&net->layer[l - 1], &room.of[l], pass, corrections);
    if (corrections != NULL) corrections += 2;
  }
  return DONE;
}

enum status KERNEL(train)(struct network *net, const struct pass *pass, struct stats *stats, stop_flag stop) {
  struct room room = make_room(net, 1, pass->moment_count);
  size_t widest = 0;
  for (size_t l = 0; l <= net->layers; l++) widest = net->widths[l] > widest ? net->widths[l] : widest;
  float *zeros = allocate(stride_of(widest) * sizeof(float));
  enum status status = NO_MEMORY;
  if (room.memory != NULL && zeros != NULL) {
    memset(zeros, 0, stride_of(widest) * sizeof(float));
    copy_moments(net, pass, room.of, 0);
    status = train_batches(net, pass, room, zeros, stats, stop);
    copy_moments(net, pass, room.of, 1);
  }
  if (room.memory != NULL) free_room(room);
  free(zeros);
  return status;
}
