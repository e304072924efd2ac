/**
 * The kernels as functions for JavaScript, through Node-API. Every argument is checked here, by itself and
 * against the others: a wrong one throws TypeError or RangeError, whatever it is.
 */
#define NAPI_VERSION 8
#include <node_api.h>

#include "choose.h"
#include "network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** What JavaScript holds of a network; empty once it is disposed of. */
struct handle {
  struct network *network;
};

static const napi_type_tag handle_tag = {0x66746c652d6e6574, 0x776f726b2d706c31};

static const struct kernels *kernels;

/** One call's arguments; the first fault is thrown, and what follows does nothing. */
struct call {
  napi_env env;
  napi_value argument[12];
  size_t count;
  int is_faulty;
};

static void fail(struct call *call, napi_status (*raise)(napi_env, const char *, const char *), const char *message) {
  if (!call->is_faulty) raise(call->env, NULL, message);
  call->is_faulty = 1;
}

static struct call begin(napi_env env, napi_callback_info info, size_t expected) {
  struct call call = {.env = env, .count = sizeof call.argument / sizeof *call.argument};
  napi_get_cb_info(env, info, &call.count, call.argument, NULL, NULL);
  if (call.count < expected) fail(&call, napi_throw_type_error, "native: too few arguments");
  return call;
}

/** A typed array's elements; `length` receives how many. An optional one may be null. */
static void *elements(struct call *call, size_t index, napi_typedarray_type type, const char *message, int is_optional,
                      size_t *length) {
  *length = 0;
  if (call->is_faulty) return NULL;
  const napi_value value = call->argument[index];
  bool is_array = false;
  napi_valuetype kind;
  napi_typeof(call->env, value, &kind);
  if (is_optional && (kind == napi_null || kind == napi_undefined)) return NULL;
  napi_typedarray_type found;
  void *data = NULL;
  napi_is_typedarray(call->env, value, &is_array);
  if (!is_array || napi_get_typedarray_info(call->env, value, &found, length, &data, NULL, NULL) != napi_ok ||
      found != type) {
    *length = 0;
    fail(call, napi_throw_type_error, message);
    return NULL;
  }
  // An empty or detached array has no address: null is for one that is not given.
  static double nothing;
  return data == NULL ? &nothing : data;
}

static float *floats(struct call *call, size_t index, size_t *length) {
  return elements(call, index, napi_float32_array, "native: expected a Float32Array", 0, length);
}

static void expect(struct call *call, int holds, const char *message) {
  if (!holds) fail(call, napi_throw_range_error, message);
}

/** A Float32Array of exactly `length` elements, or null where it may lack. */
static float *floats_of(struct call *call, size_t index, size_t length, int is_optional) {
  size_t found;
  float *data = elements(call, index, napi_float32_array, "native: expected a Float32Array", is_optional, &found);
  if (data != NULL || !is_optional) expect(call, found == length, "native: an array has the wrong length");
  return data;
}

static stop_flag stop_of(struct call *call, size_t index) {
  size_t length;
  const int32_t *flag =
      elements(call, index, napi_int32_array, "native: expected an Int32Array or null for the stop flag", 1, &length);
  expect(call, flag == NULL || length > 0, "native: the stop flag is empty");
  return flag;
}

/** An integer in 0 … `greatest`. */
static size_t integer(struct call *call, size_t index, double greatest) {
  double value = -1;
  if (call->is_faulty) return 0;
  if (napi_get_value_double(call->env, call->argument[index], &value) != napi_ok) {
    fail(call, napi_throw_type_error, "native: expected a number");
    return 0;
  }
  expect(call, value >= 0 && value <= greatest && value == floor(value), "native: a number is out of range");
  return call->is_faulty ? 0 : (size_t)value;
}

static struct handle *handle_of(struct call *call) {
  if (call->is_faulty) return NULL;
  napi_valuetype kind;
  bool is_ours = false;
  void *data = NULL;
  if (napi_typeof(call->env, call->argument[0], &kind) != napi_ok || kind != napi_object ||
      napi_check_object_type_tag(call->env, call->argument[0], &handle_tag, &is_ours) != napi_ok || !is_ours ||
      napi_unwrap(call->env, call->argument[0], &data) != napi_ok) {
    fail(call, napi_throw_type_error, "native: expected a network");
    return NULL;
  }
  return data;
}

static struct network *network_of(struct call *call) {
  struct handle *handle = handle_of(call);
  if (handle == NULL) return NULL;
  if (handle->network == NULL) fail(call, napi_throw_type_error, "native: the network has been disposed of");
  return handle->network;
}

static void finalize(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  struct handle *handle = data;
  free_network(handle->network);
  free(handle);
}

/** What a kernel's status means for JavaScript: true, false if it was stopped, or an error. */
static napi_value answer(struct call *call, enum status status) {
  napi_value value = NULL;
  if (status == NO_MEMORY) napi_throw_error(call->env, "ENOMEM", "native: there is not enough memory");
  else if (status == BAD_INDEX)
    napi_throw_range_error(call->env, NULL, "native: a sample in the order is not in the set");
  else
    napi_get_boolean(call->env, status == DONE, &value);
  return value;
}

/** load(widths: Uint32Array, hidden, output: activations, parameters: Float32Array) → network */
static napi_value load_network(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info, 4);
  size_t widths_length, parameters_length;
  const uint32_t *widths =
      elements(&call, 0, napi_uint32_array, "native: expected a Uint32Array of widths", 0, &widths_length);
  const size_t hidden = integer(&call, 1, 3), output = integer(&call, 2, 3);
  const float *parameters = floats(&call, 3, &parameters_length);
  expect(&call, widths_length >= 3, "native: expected widths of inputs, hidden layers and outputs");
  if (call.is_faulty) return NULL;
  // A shared array could change under the checks: they are made on a copy.
  uint32_t *own = malloc(widths_length * sizeof *own);
  struct handle *handle = calloc(1, sizeof *handle);
  napi_value object = NULL;
  if (own == NULL || handle == NULL) {
    answer(&call, NO_MEMORY);
    goto failed;
  }
  memcpy(own, widths, widths_length * sizeof *own);
  const size_t count = count_parameters(own, widths_length - 1);
  expect(&call, count > 0 && count == parameters_length, "native: the parameters do not have the network's shape");
  if (call.is_faulty) goto failed;
  handle->network = make_network(own, widths_length - 1, parameters);
  if (handle->network == NULL) {
    answer(&call, NO_MEMORY);
    goto failed;
  }
  handle->network->hidden = (int)hidden;
  handle->network->output = (int)output;
  if (napi_create_object(env, &object) != napi_ok || napi_type_tag_object(env, object, &handle_tag) != napi_ok ||
      napi_wrap(env, object, handle, finalize, NULL, NULL) != napi_ok) {
    fail(&call, napi_throw_error, "native: the network could not be made an object");
    goto failed;
  }
  free(own);
  return object;
failed:
  if (handle != NULL) free_network(handle->network);
  free(handle);
  free(own);
  return NULL;
}

/** dispose(network): frees its memory; a second time does nothing. */
static napi_value dispose(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info, 1);
  struct handle *handle = handle_of(&call);
  if (handle != NULL) {
    free_network(handle->network);
    handle->network = NULL;
  }
  return NULL;
}

/** parameters(network, to: Float32Array) */
static napi_value parameters(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info, 2);
  const struct network *network = network_of(&call);
  if (network == NULL) return NULL;
  float *to = floats_of(&call, 1, network->parameters, 0);
  if (!call.is_faulty) copy_parameters(network, to);
  return NULL;
}

/**
 * field(network, x, y: Float32Array, isGrid, allLayers: 0 | 1, lambda1, lambda2, direction, output: Float32Array | null,
 * stop: Int32Array | null) → whether it came to its end
 */
static napi_value field(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info, 10);
  const struct network *network = network_of(&call);
  if (network == NULL) return NULL;
  expect(&call, network->widths[0] == 2, "native: expected a network with 2 inputs");
  size_t columns, rows, count = 0, values = 0;
  struct points points = {.x = floats(&call, 1, &columns), .y = floats(&call, 2, &rows)};
  const int is_grid = (int)integer(&call, 3, 1), all_layers = (int)integer(&call, 4, 1);
  if (is_grid) {
    expect(&call, !__builtin_mul_overflow(columns, rows, &count), "native: the grid is too large");
  } else {
    count = columns;
    expect(&call, columns == rows, "native: expected as many x as y");
  }
  const size_t slices = all_layers ? network->layers - 1 : 1;
  expect(&call, !__builtin_mul_overflow(count, slices, &values), "native: the grid is too large");
  if (call.is_faulty) return NULL;
  points.count = count;
  points.columns = is_grid ? columns : 0;
  const struct field to = {floats_of(&call, 5, values, 1), floats_of(&call, 6, values, 1),
                           floats_of(&call, 7, values, 1), floats_of(&call, 8, count, 1)};
  const stop_flag stop = stop_of(&call, 9);
  if (call.is_faulty) return NULL;
  return answer(&call, kernels->field(network, points, all_layers, to, stop));
}

/**
 * exponents(network, factor, inputs, lambda1, lambda2: Float32Array, stop) → whether it came to its end; `factor`
 * [N_1, min(N_0, N_1)] stands in for W^(1) as the product's last factor.
 */
static napi_value exponents(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info, 6);
  const struct network *network = network_of(&call);
  if (network == NULL) return NULL;
  const size_t N0 = network->widths[0], N1 = network->widths[1];
  size_t length;
  const float *factor = floats_of(&call, 1, N1 * (N0 < N1 ? N0 : N1), 0);
  const float *inputs = floats(&call, 2, &length);
  expect(&call, length % N0 == 0, "native: expected whole inputs");
  if (call.is_faulty) return NULL;
  const size_t count = length / N0;
  float *lambda1 = floats_of(&call, 3, count, 0), *lambda2 = floats_of(&call, 4, count, 0);
  const stop_flag stop = stop_of(&call, 5);
  if (call.is_faulty) return NULL;
  return answer(&call, kernels->exponents(network, factor, inputs, count, lambda1, lambda2, stop));
}

/** activations(network, inputs: Float32Array, layer, to: Float64Array, stop) → whether it came to its end */
static napi_value activations(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info, 5);
  const struct network *network = network_of(&call);
  if (network == NULL) return NULL;
  const size_t N0 = network->widths[0];
  size_t length, found, values;
  const float *inputs = floats(&call, 1, &length);
  const size_t layer = integer(&call, 2, (double)network->layers);
  expect(&call, layer >= 1, "native: layers are counted from 1");
  expect(&call, length % N0 == 0, "native: expected whole inputs");
  double *to = elements(&call, 3, napi_float64_array, "native: expected a Float64Array", 0, &found);
  if (call.is_faulty) return NULL;
  const size_t count = length / N0;
  expect(&call, !__builtin_mul_overflow(count, network->widths[layer], &values) && found == values,
         "native: an array has the wrong length");
  const stop_flag stop = stop_of(&call, 4);
  if (call.is_faulty) return NULL;
  return answer(&call, kernels->activations(network, inputs, count, layer, to, stop));
}

/** Places in the array of numbers that says how to train. */
enum { LOSS, OPTIMIZER, BATCH, WEIGHT_DECAY, DECAY1, DECAY2, EPSILON, RULE_LENGTH };

static int is_integer_below(double value, double limit) { return value >= 0 && value < limit && value == floor(value); }

/** The number of moments that an optimiser keeps with these numbers. */
static size_t moments_of(const double *rule) {
  if (rule[OPTIMIZER] == ADAM) return 2;
  return rule[OPTIMIZER] == SGD && rule[DECAY1] == 0 ? 0 : 1;
}

static int fits_output(const struct network *network, double loss) {
  enum { SIGMOID_OUTPUT = 2, LINEAR_OUTPUT = 3 };
  if (loss == SOFTMAX_CROSS_ENTROPY) return network->output == LINEAR_OUTPUT;
  return loss != BINARY_CROSS_ENTROPY || network->output == SIGMOID_OUTPUT;
}

/**
 * train(network, inputs, targets: Float32Array, order: Uint32Array, rule: Float64Array, frozen: Uint8Array,
 * rates, corrections, moments: Float32Array, stats: Float64Array [loss sum, correct], stop) → whether it came to its end
 */
static napi_value train(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info, 11);
  struct network *network = network_of(&call);
  if (network == NULL) return NULL;
  const size_t N0 = network->widths[0], outputs = network->widths[network->layers];
  size_t inputs_length, targets_length, order_length, rule_length, frozen_length, stats_length;
  struct training_set set = {.inputs = floats(&call, 1, &inputs_length), .targets = floats(&call, 2, &targets_length)};
  set.samples = inputs_length / N0;
  const uint32_t *order = elements(&call, 3, napi_uint32_array, "native: expected a Uint32Array", 0, &order_length);
  const double *numbers = elements(&call, 4, napi_float64_array, "native: expected a Float64Array", 0, &rule_length);
  const uint8_t *frozen = elements(&call, 5, napi_uint8_array, "native: expected a Uint8Array", 0, &frozen_length);
  double *stats_to = elements(&call, 9, napi_float64_array, "native: expected a Float64Array", 0, &stats_length);
  const stop_flag stop = stop_of(&call, 10);
  expect(&call, inputs_length % N0 == 0 && targets_length % outputs == 0 && targets_length / outputs == set.samples,
         "native: inputs and targets do not have the same number of samples");
  expect(&call, rule_length == RULE_LENGTH && frozen_length == network->layers && stats_length == 2,
         "native: an array has the wrong length");
  if (call.is_faulty) return NULL;
  double own[RULE_LENGTH];
  memcpy(own, numbers, sizeof own);
  expect(&call, is_integer_below(own[LOSS], 3) && is_integer_below(own[OPTIMIZER], 3),
         "native: no such loss or optimiser");
  expect(&call, own[BATCH] >= 1 && is_integer_below(own[BATCH], 4294967296.0), "native: expected a batch of at least 1");
  if (call.is_faulty) return NULL;
  expect(&call, fits_output(network, own[LOSS]), "native: the loss needs another output layer");
  const size_t batch = (size_t)own[BATCH], moment_count = moments_of(own);
  const size_t steps = order_length / batch + (order_length % batch != 0);
  const float *rates = floats_of(&call, 6, steps, 0);
  const float *corrections = floats_of(&call, 7, own[OPTIMIZER] == ADAM ? 2 * steps : 0, 0);
  size_t moments_length;
  expect(&call, !__builtin_mul_overflow(moment_count, network->parameters, &moments_length), "native: too many moments");
  float *moments = floats_of(&call, 8, moments_length, 0);
  if (call.is_faulty) return NULL;
  const struct rule rule = {
      .loss = (enum loss)own[LOSS],
      .optimizer = (enum optimizer)own[OPTIMIZER],
      .batch = batch,
      .weight_decay = (float)own[WEIGHT_DECAY],
      .decay1 = (float)own[DECAY1],
      .decay2 = (float)own[DECAY2],
      .epsilon = (float)own[EPSILON],
      .fresh1 = (float)(1 - own[DECAY1]),
      .fresh2 = (float)(1 - own[DECAY2]),
      .frozen = frozen,
  };
  const struct pass pass = {
      .set = &set,
      .order = order,
      .count = order_length,
      .rule = &rule,
      .rates = rates,
      .corrections = own[OPTIMIZER] == ADAM ? corrections : NULL,
      .moments = moments,
      .moment_count = moment_count,
  };
  struct stats stats = {0, 0};
  const enum status status = kernels->train(network, &pass, &stats, stop);
  stats_to[0] = stats.loss_sum;
  stats_to[1] = stats.correct;
  return answer(&call, status);
}

/** peak(seconds) → floating-point operations a second of one thread's multiply-adds */
static napi_value peak(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info, 1);
  double seconds = 0;
  if (call.is_faulty) return NULL;
  if (napi_get_value_double(env, call.argument[0], &seconds) != napi_ok || !(seconds >= 0 && seconds <= 60)) {
    fail(&call, napi_throw_range_error, "native: expected 0 to 60 seconds");
    return NULL;
  }
  napi_value value = NULL;
  napi_create_double(env, kernels->peak(seconds), &value);
  return value;
}

NAPI_MODULE_INIT() {
  const char *wanted = getenv("FTLE_NATIVE_ISA");
  const struct kernels *chosen = choose_kernels(wanted != NULL && *wanted != '\0' ? wanted : NULL);
  if (chosen == NULL) {
    napi_throw_error(env, NULL, "FTLE_NATIVE_ISA names no instruction set that was built and that this processor has");
    return NULL;
  }
  kernels = chosen;
  napi_value isa;
  napi_create_string_utf8(env, chosen->name, NAPI_AUTO_LENGTH, &isa);
  const napi_property_descriptor properties[] = {
      {"isa", NULL, NULL, NULL, NULL, isa, napi_enumerable, NULL},
      {"load", NULL, load_network, NULL, NULL, NULL, napi_enumerable, NULL},
      {"dispose", NULL, dispose, NULL, NULL, NULL, napi_enumerable, NULL},
      {"parameters", NULL, parameters, NULL, NULL, NULL, napi_enumerable, NULL},
      {"field", NULL, field, NULL, NULL, NULL, napi_enumerable, NULL},
      {"exponents", NULL, exponents, NULL, NULL, NULL, napi_enumerable, NULL},
      {"activations", NULL, activations, NULL, NULL, NULL, napi_enumerable, NULL},
      {"train", NULL, train, NULL, NULL, NULL, napi_enumerable, NULL},
      {"peak", NULL, peak, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties);
  return exports;
}
