#ifndef FTLE_NETWORK_H
#define FTLE_NETWORK_H

#include "kernel.h"

/** Number of weights and biases of widths N_0 … N_layers; 0 if a width is 0 or it does not fit. */
size_t count_parameters(const uint32_t *widths, size_t layers);

/**
 * A network of those widths with `parameters`: for each layer its weights, row by row, then its biases. Null if
 * memory is lacking.
 */
struct network *make_network(const uint32_t *widths, size_t layers, const float *parameters);

/** Writes the parameters in the order in which `make_network` took them. */
void copy_parameters(const struct network *, float *parameters);

void free_network(struct network *);

#endif
