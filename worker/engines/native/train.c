/** Mini-batch training, and activations of whole data sets. Arrays over a batch are [samples, neurons]. */
#include "elementary.h"
#include "product.h"
#include "scalar.h"

#include <stdlib.h>

/** Most samples that go through the layers together; a batch's gradient is summed over its blocks in order. */
#define BLOCK 128

/** One layer's room for a block. */
struct buffers {
  /** x^(l), [samples of a block, stride]. */
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

/** What there must be room for. */
struct need {
  /** Samples of the largest block. */
  size_t samples;
  int is_training;
  size_t moment_count;
};

/** Lays the buffers out one after another; with `of` null it only counts. */
static size_t lay_out(const struct network *net, struct need need, float *memory, struct buffers *of) {
  size_t used = 0;
#define TAKE(field, count)                     \
  do {                                         \
    if (of != NULL) of[l].field = memory + used; \
    used += stride_of(count);                  \
  } while (0)
  for (size_t l = 0; l <= net->layers; l++) {
    TAKE(x, need.samples * stride_below(net, l));
    if (l == 0) continue;
    TAKE(slope, need.samples * stride_below(net, l));
    if (!need.is_training) continue;
    const struct layer *layer = &net->layer[l - 1];
    const size_t weights = padded_weights(layer), biases = layer->transposed_stride;
    TAKE(delta, need.samples * stride_below(net, l));
    TAKE(gradient, weights);
    TAKE(bias_gradient, biases);
    for (size_t m = 0; m < need.moment_count; m++) TAKE(moments[m], weights + biases);
  }
#undef TAKE
  return used;
}

static struct room make_room(const struct network *net, struct need need) {
  const size_t numbers = lay_out(net, need, NULL, NULL);
  struct room room = {allocate(numbers * sizeof(float)), allocate((net->layers + 1) * sizeof(struct buffers))};
  if (room.memory == NULL || room.of == NULL) {
    free(room.memory);
    free(room.of);
    return (struct room){NULL, NULL};
  }
  memset(room.memory, 0, numbers * sizeof(float)); // padding must hold numbers
  lay_out(net, need, room.memory, room.of);
  return room;
}

static void free_room(struct room room) {
  free(room.memory);
  free(room.of);
}

INLINE size_t rounded_up(size_t columns) { return (columns + LANES - 1) / LANES * LANES; }

INLINE void activate_rows(enum activation g, struct buffers *to, size_t samples, size_t columns, size_t stride) {
  // What is left of two rows, half a vector each, goes together.
  const int has_half = ends_in_half(columns);
  const size_t width = has_half ? columns / LANES * LANES : rounded_up(columns);
  for (size_t s = 0; s < samples; s++) {
    for (size_t i = s * stride; i < s * stride + width; i += LANES) {
      const struct activated a = activate(g, load(to->x + i));
      store(to->x + i, a.x);
      store(to->slope + i, a.slope);
    }
  }
  if (!has_half) return;
  for (size_t s = 0; s < samples; s += 2) {
    const size_t first = s * stride + width, second = s + 1 < samples ? first + stride : first;
    const struct activated a = activate(g, join(to->x + first, to->x + second));
    split(a.x, to->x + first, to->x + second);
    split(a.slope, to->slope + first, to->slope + second);
  }
}

/** b = W x + bias, then x = g(b) and g'(b). The last layer's b stays in `delta` if `keeps_fields`. */
static void forward_layer(const struct network *net, size_t l, struct buffers *of, size_t samples,
                          int keeps_fields) {
  const struct layer *layer = &net->layer[l - 1];
  const size_t stride = stride_below(net, l), width = layer->rows;
  multiply_matrices(&(struct product){
      .c = of[l].x,
      .c_stride = stride,
      .start = layer->bias,
      .start_stride = 0,
      .a = of[l - 1].x,
      .a_row = stride_below(net, l - 1),
      .a_term = 1,
      .b = {layer->transposed, layer->transposed_stride, layer->cols},
      .next = l < net->layers ? (struct operand){layer[1].transposed, layer[1].transposed_stride, layer[1].cols}
                              : (struct operand){NULL, 0, 0},
      .rows = samples,
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
  struct room room = make_room(net, (struct need){.samples = count < BLOCK ? count : BLOCK});
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

/** δ^(l−1) = g'(b^(l−1)) ⊙ W^(l)ᵀ δ^(l). */
static void backward_layer(const struct network *net, size_t l, struct buffers *of, size_t samples,
                           const float *zeros) {
  const struct layer *layer = &net->layer[l - 1];
  const size_t stride = stride_below(net, l - 1);
  multiply_matrices(&(struct product){
      .c = of[l - 1].delta,
      .c_stride = stride,
      .times = of[l - 1].slope,
      .start = zeros,
      .start_stride = 0,
      .a = of[l].delta,
      .a_row = stride_below(net, l),
      .a_term = 1,
      .b = {layer->weight, layer->stride, layer->rows},
      .next = {of[l - 1].x, stride, samples},
      .rows = samples,
      .columns = layer->cols,
  });
}

/** What one batch's learning of a layer needs, beside the layer. */
struct lesson {
  const struct pass *pass;
  /** The learning rate of this step. */
  const float *rate;
  /** Adam's bias corrections of this step. */
  const float *corrections;
  /** Whether the block is the batch's first and its last. */
  int is_first;
  int is_last;
  /** A row of zeros as long as any. */
  const float *zeros;
};

/** Moves parameters w along their gradient; conventions as in `shared/numerics/optimizers.ts`. */
INLINE void move(enum optimizer optimizer, const struct lesson *lesson, float decay, size_t count, float *w,
                 const float *gradient, float *const moments[2]) {
  const struct rule *rule = lesson->pass->rule;
  const vf rate = splat(*lesson->rate), d1 = splat(rule->decay1), f1 = splat(rule->fresh1);
  for (size_t i = 0; i < count; i += LANES) {
    const vf old = load(w + i);
    const vf g = fma_(splat(decay), old, load(gradient + i));
    if (optimizer == SGD) {
      vf v = g;
      if (moments[0] != NULL) {
        v = fma_(d1, load(moments[0] + i), g);
        store(moments[0] + i, v);
      }
      store(w + i, fnma(rate, v, old));
    } else if (optimizer == ADAM) {
      const vf m = fma_(d1, load(moments[0] + i), f1 * g);
      const vf v = fma_(splat(rule->decay2), load(moments[1] + i), splat(rule->fresh2) * (g * g));
      store(moments[0] + i, m);
      store(moments[1] + i, v);
      const vf size = square_root(v / splat(lesson->corrections[1])) + splat(rule->epsilon);
      store(w + i, old - rate * (m / splat(lesson->corrections[0])) / size);
    } else {
      const vf v = fma_(d1, load(moments[0] + i), f1 * (g * g));
      store(moments[0] + i, v);
      store(w + i, old - rate * g / (square_root(v) + splat(rule->epsilon)));
    }
  }
}

static void update(const struct lesson *lesson, float decay, size_t count, float *w, const float *gradient,
                   float *const moments[2]) {
  switch (lesson->pass->rule->optimizer) {
    case SGD: move(SGD, lesson, decay, count, w, gradient, moments); break;
    case ADAM: move(ADAM, lesson, decay, count, w, gradient, moments); break;
    default: move(RMSPROP, lesson, decay, count, w, gradient, moments);
  }
}

typedef float v4 __attribute__((vector_size(16)));

/** Brings rows `from` … `to` of W into Wᵀ in squares of four; both have room for whole squares. */
static void transpose(struct layer *layer, size_t from, size_t to) {
  const size_t stride = layer->stride, across = layer->transposed_stride;
  for (size_t j = 0; j < layer->cols; j += 4) {
    for (size_t i = from; i < to; i += 4) {
      const float *w = layer->weight + i * stride + j;
      float *t = layer->transposed + j * across + i;
      const v4 a = *(const v4 *)w, b = *(const v4 *)(w + stride);
      const v4 c = *(const v4 *)(w + 2 * stride), d = *(const v4 *)(w + 3 * stride);
      const v4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), AB = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      const v4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), CD = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      *(v4 *)t = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
      *(v4 *)(t + across) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
      *(v4 *)(t + 2 * across) = __builtin_shufflevector(AB, CD, 0, 1, 4, 5);
      *(v4 *)(t + 3 * across) = __builtin_shufflevector(AB, CD, 2, 3, 6, 7);
    }
  }
}

/** Rows of a gradient that are used up while they are in the nearest cache: a multiple of four. */
#define STRIP 32

/** Fetches the weights that a strip's gradient will move, and where their transposes go. */
static void fetch_strip(const struct layer *layer, size_t from, size_t rows) {
  if (padded_weights(layer) < FETCHED) return;
  for (size_t at = from * layer->stride; at < (from + rows) * layer->stride; at += LINE)
    __builtin_prefetch(layer->weight + at, 1, 2);
  for (size_t j = 0; j < layer->cols; j++)
    for (size_t i = from; i < from + rows; i += LINE)
      __builtin_prefetch(layer->transposed + j * layer->transposed_stride + i, 1, 2);
}

/**
 * Sums the gradients δ^(l)ᵀ x^(l−1) and Σ δ^(l) over a block's samples, and after the batch's last moves W, its
 * transpose and the biases, strip by strip of W's rows.
 */
static void learn_layer(struct network *net, size_t l, const struct buffers *of, size_t samples,
                        const struct lesson *lesson) {
  struct layer *layer = &net->layer[l - 1];
  const struct rule *rule = lesson->pass->rule;
  const size_t stride = stride_below(net, l), weights = padded_weights(layer);
  const float *start = lesson->is_first ? lesson->zeros : of[l].gradient;
  const size_t start_stride = lesson->is_first ? 0 : layer->stride;
  for (size_t from = 0; from < layer->rows; from += STRIP) {
    const size_t rows = layer->rows - from < STRIP ? layer->rows - from : STRIP, at = from * layer->stride;
    if (lesson->is_last) fetch_strip(layer, from, rows);
    // A batch of one block needs no more of the gradient than a strip.
    float *gradient = lesson->is_first && lesson->is_last ? of[l].gradient : of[l].gradient + at;
    multiply_matrices(&(struct product){
        .c = gradient,
        .c_stride = layer->stride,
        .start = start + from * start_stride,
        .start_stride = start_stride,
        .a = of[l].delta + from,
        .a_row = 1,
        .a_term = stride,
        .b = {of[l - 1].x, stride_below(net, l - 1), samples},
        .next = l > 1 ? (struct operand){layer[-1].weight, layer[-1].stride, layer[-1].rows}
                      : (struct operand){NULL, 0, 0},
        .rows = rows,
        .columns = layer->cols,
    });
    if (!lesson->is_last) continue;
    float *moments[2] = {NULL, NULL};
    for (size_t m = 0; m < lesson->pass->moment_count; m++) moments[m] = of[l].moments[m] + at;
    update(lesson, rule->weight_decay, rows * layer->stride, layer->weight + at, gradient, moments);
    transpose(layer, from, from + rows);
  }
  for (size_t i = 0; i < layer->rows; i += LANES) {
    vf sum = lesson->is_first ? splat(0) : load(of[l].bias_gradient + i);
    for (size_t s = 0; s < samples; s++) sum += load(of[l].delta + s * stride + i);
    store(of[l].bias_gradient + i, sum);
  }
  if (!lesson->is_last) return;
  float *moments[2] = {NULL, NULL};
  for (size_t m = 0; m < lesson->pass->moment_count; m++) moments[m] = of[l].moments[m] + weights;
  update(lesson, 0, rounded_up(layer->rows), layer->bias, of[l].bias_gradient, moments);
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

/** One block of a batch: forward, its share of the loss, backward down to the lowest layer that learns. */
static void step_block(struct network *net, const uint32_t *order, size_t samples, size_t batch, size_t lowest,
                       struct room room, const struct lesson *lesson, struct stats *stats) {
  for (size_t l = 1; l <= net->layers; l++) forward_layer(net, l, room.of, samples, l == net->layers);
  output_deltas(net, lesson->pass, order, samples, batch, room.of, stats);
  for (size_t l = net->layers; l >= lowest; l--) {
    if (l > lowest) backward_layer(net, l, room.of, samples, lesson->zeros);
    if (!lesson->pass->rule->frozen[l - 1]) learn_layer(net, l, room.of, samples, lesson);
  }
}

static enum status train_batches(struct network *net, const struct pass *pass, struct room room, const float *zeros,
                                 struct stats *stats, stop_flag stop) {
  size_t lowest = 1; // the lowest layer that learns
  while (lowest <= net->layers && pass->rule->frozen[lowest - 1]) lowest++;
  struct lesson lesson = {.pass = pass, .rate = pass->rates, .corrections = pass->corrections, .zeros = zeros};
  for (size_t from = 0; from < pass->count; from += pass->rule->batch) {
    const size_t left = pass->count - from, batch = left < pass->rule->batch ? left : pass->rule->batch;
    for (size_t at = 0; at < batch; at += BLOCK) {
      if (is_stopped(stop)) return STOPPED;
      const size_t samples = batch - at < BLOCK ? batch - at : BLOCK;
      const uint32_t *order = pass->order + from + at;
      if (gather(net, pass, order, samples, room.of[0].x) != DONE) return BAD_INDEX;
      lesson.is_first = at == 0;
      lesson.is_last = at + samples == batch;
      step_block(net, order, samples, batch, lowest, room, &lesson, stats);
    }
    lesson.rate++;
    if (lesson.corrections != NULL) lesson.corrections += 2;
  }
  return DONE;
}

enum status KERNEL(train)(struct network *net, const struct pass *pass, struct stats *stats, stop_flag stop) {
  const size_t batch = pass->count < pass->rule->batch ? pass->count : pass->rule->batch;
  struct room room = make_room(net, (struct need){
                                        .samples = batch < BLOCK ? batch : BLOCK,
                                        .is_training = 1,
                                        .moment_count = pass->moment_count,
                                    });
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
