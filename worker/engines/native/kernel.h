/**
 * What the kernels do, whatever instruction set they are built for. `addon.c` checks every argument before
 * it comes here; here all sizes are right.
 */
#ifndef FTLE_KERNEL_H
#define FTLE_KERNEL_H

#include <stddef.h>
#include <stdint.h>

enum status { DONE, NO_MEMORY, STOPPED, BAD_INDEX };

/** Numbers in a cache line; every row of a matrix starts on a line of its own. */
#define LINE 16

/**
 * One layer's parameters, rows padded to `stride` numbers and columns to a multiple of four; what the padding
 * holds does not matter.
 */
struct layer {
  size_t rows;
  size_t cols;
  /** W [rows, stride]. */
  float *weight;
  size_t stride;
  /** Wᵀ [cols, transposed_stride]. */
  float *transposed;
  size_t transposed_stride;
  /** −θ [transposed_stride]. */
  float *bias;
};

struct network {
  /** L hidden layers and the output layer. */
  size_t layers;
  struct layer *layer;
  /** `enum activation` of the hidden layers and of the output layer. */
  int hidden;
  int output;
  /** [layers + 1]: N_0, N_1, …, N_{L+1}. */
  size_t *widths;
  /** Weights and biases of all layers. */
  size_t parameters;
};

/** Rows of this many numbers neither share cache lines nor all fall into the same sets of the cache. */
static inline size_t stride_of(size_t columns) {
  const size_t lines = (columns + LINE - 1) / LINE;
  return LINE * (lines > 4 && lines % 2 == 0 ? lines + 1 : lines);
}

/** Points of a plane: every (x[i], y[j]) row by row, or, as a list, every (x[i], y[i]). */
struct points {
  const float *x;
  const float *y;
  size_t count;
  /** Length of `x` for a grid; 0 for a list. */
  size_t columns;
};

/** Receives a field: lambda1, lambda2, direction [slices, count]; output [count]. Each may be null. */
struct field {
  float *lambda1;
  float *lambda2;
  float *direction;
  float *output;
};

enum loss { SQUARED_ERROR, SOFTMAX_CROSS_ENTROPY, BINARY_CROSS_ENTROPY };
enum optimizer { SGD, ADAM, RMSPROP };

struct rule {
  enum loss loss;
  enum optimizer optimizer;
  size_t batch;
  float weight_decay;
  /** Momentum; β₁; or the decay α. */
  float decay1;
  /** β₂. */
  float decay2;
  float epsilon;
  /** Factors 1 − β of the new term, rounded from float64. */
  float fresh1;
  float fresh2;
  /** [layers]. */
  const uint8_t *frozen;
};

struct training_set {
  size_t samples;
  const float *inputs;
  const float *targets;
};

/** One pass over the samples in `order`. */
struct pass {
  const struct training_set *set;
  const uint32_t *order;
  size_t count;
  const struct rule *rule;
  /** The learning rate of each batch. */
  const float *rates;
  /** Bias corrections 1 − βᵗ of Adam, two for each batch; null for the others. */
  const float *corrections;
  /** `moment_count` blocks of [parameters], each layer's weights then its biases. */
  float *moments;
  size_t moment_count;
};

struct stats {
  double loss_sum;
  double correct;
};

/** Nonzero once the work should end; may be null. Another thread writes it. */
typedef const int32_t *stop_flag;

static inline int is_stopped(stop_flag stop) {
  return stop != NULL && __atomic_load_n(stop, __ATOMIC_RELAXED) != 0;
}

/** The kernels of one instruction set. */
struct kernels {
  const char *name;
  /** Fields of a network with two inputs; `all_layers`: a slice for each hidden layer, else one for layer L. */
  enum status (*field)(const struct network *, struct points, int all_layers, struct field, stop_flag);
  /**
   * λ₁ and λ₂ at `count` inputs [count, N_0]. `factor` [N_1, columns] has the singular values of W^(1) behind
   * any product, columns = min(N_0, N_1).
   */
  enum status (*exponents)(const struct network *, const float *factor, const float *inputs, size_t count,
                           float *lambda1, float *lambda2, stop_flag);
  /** x^(layer) [count, N_layer] of `inputs` [count, N_0], 1 ≤ layer ≤ L + 1. */
  enum status (*activations)(const struct network *, const float *inputs, size_t count, size_t layer, double *x,
                             stop_flag);
  /** Mini-batch training; changes the network and the moments. */
  enum status (*train)(struct network *, const struct pass *, struct stats *, stop_flag);
  /** Multiply-adds for about this long: floating-point operations a second. */
  double (*peak)(double seconds);
};

extern const struct kernels kernels_avx512, kernels_avx2, kernels_neon, kernels_baseline;

void *allocate(size_t bytes);

#define CONCAT_(a, b) a##_##b
#define CONCAT(a, b) CONCAT_(a, b)
/** A name of this translation unit's instruction set. */
#define KERNEL(name) CONCAT(name, ISA)

#endif
