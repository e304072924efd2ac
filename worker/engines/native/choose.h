#ifndef FTLE_CHOOSE_H
#define FTLE_CHOOSE_H

#include "kernel.h"

/** The kernels of that name, or for null the fastest that this processor runs; null if there are none. */
const struct kernels *choose_kernels(const char *name);

#endif
