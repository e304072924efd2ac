#include "network.h"

#include <stdlib.h>
#include <string.h>

void *allocate(size_t bytes) {
  const size_t line = LINE * sizeof(float);
  if (bytes > SIZE_MAX - 2 * line) return NULL;
  return aligned_alloc(line, (bytes + line) / line * line);
}

size_t count_parameters(const uint32_t *widths, size_t layers) {
  size_t count = 0;
  for (size_t l = 0; l <= layers; l++)
    if (widths[l] == 0) return 0;
  for (size_t l = 1; l <= layers; l++) {
    size_t of_layer;
    if (__builtin_mul_overflow((size_t)widths[l], (size_t)widths[l - 1] + 1, &of_layer)) return 0;
    if (__builtin_add_overflow(count, of_layer, &count)) return 0;
  }
  return count;
}

static float *zeros(size_t count) {
  float *room = count > SIZE_MAX / sizeof *room ? NULL : allocate(count * sizeof *room);
  if (room != NULL) memset(room, 0, count * sizeof *room);
  return room;
}

static int fill_layer(struct layer *layer, size_t rows, size_t cols, const float *from) {
  *layer = (struct layer){.rows = rows, .cols = cols, .stride = stride_of(cols), .transposed_stride = stride_of(rows)};
  layer->weight = zeros((rows + 3) / 4 * 4 * layer->stride);
  layer->transposed = zeros((cols + 3) / 4 * 4 * layer->transposed_stride);
  layer->bias = zeros(layer->transposed_stride);
  if (layer->weight == NULL || layer->transposed == NULL || layer->bias == NULL) return 0;
  for (size_t i = 0; i < rows; i++) {
    memcpy(layer->weight + i * layer->stride, from + i * cols, cols * sizeof *from);
    for (size_t j = 0; j < cols; j++) layer->transposed[j * layer->transposed_stride + i] = from[i * cols + j];
  }
  memcpy(layer->bias, from + rows * cols, rows * sizeof *from);
  return 1;
}

struct network *make_network(const uint32_t *widths, size_t layers, const float *parameters) {
  struct network *network = calloc(1, sizeof *network);
  if (network == NULL) return NULL;
  network->layers = layers;
  network->parameters = count_parameters(widths, layers);
  network->layer = calloc(layers, sizeof *network->layer);
  network->widths = malloc((layers + 1) * sizeof *network->widths);
  int is_whole = network->layer != NULL && network->widths != NULL;
  for (size_t l = 0; is_whole && l <= layers; l++) network->widths[l] = widths[l];
  for (size_t l = 0; is_whole && l < layers; l++) {
    const size_t rows = widths[l + 1], cols = widths[l];
    is_whole = fill_layer(&network->layer[l], rows, cols, parameters);
    parameters += rows * (cols + 1);
  }
  if (is_whole) return network;
  free_network(network);
  return NULL;
}

void copy_parameters(const struct network *network, float *to) {
  for (size_t l = 0; l < network->layers; l++) {
    const struct layer *layer = &network->layer[l];
    for (size_t i = 0; i < layer->rows; i++, to += layer->cols)
      memcpy(to, layer->weight + i * layer->stride, layer->cols * sizeof *to);
    memcpy(to, layer->bias, layer->rows * sizeof *to);
    to += layer->rows;
  }
}

void free_network(struct network *network) {
  if (network == NULL) return;
  for (size_t l = 0; network->layer != NULL && l < network->layers; l++) {
    free(network->layer[l].weight);
    free(network->layer[l].transposed);
    free(network->layer[l].bias);
  }
  free(network->layer);
  free(network->widths);
  free(network);
}
