/** The kernels of the instruction set that this translation unit is built for. */
#include "kernel.h"

#define STRING_(name) #name
#define STRING(name) STRING_(name)

enum status KERNEL(field)(const struct network *, struct points, int, struct field, stop_flag);
enum status KERNEL(exponents)(const struct network *, const float *, const float *, size_t, float *, float *,
                              stop_flag);
enum status KERNEL(activations)(const struct network *, const float *, size_t, size_t, double *, stop_flag);
enum status KERNEL(train)(struct network *, const struct pass *, struct stats *, stop_flag);
double KERNEL(peak)(double);

const struct kernels KERNEL(kernels) = {
    .name = STRING(ISA),
    .field = KERNEL(field),
    .exponents = KERNEL(exponents),
    .activations = KERNEL(activations),
    .train = KERNEL(train),
    .peak = KERNEL(peak),
};
