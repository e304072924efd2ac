/** Which kernels this processor runs. */
#include "choose.h"

#include <string.h>

#if defined(__x86_64__)
static const struct kernels *const built[] = {&kernels_avx512, &kernels_avx2, &kernels_baseline};

static int runs(const struct kernels *kernels) {
  __builtin_cpu_init();
  if (kernels == &kernels_avx512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
  if (kernels == &kernels_avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return 1;
}
#elif defined(__aarch64__)
static const struct kernels *const built[] = {&kernels_neon, &kernels_baseline};

static int runs(const struct kernels *kernels) {
  (void)kernels;
  return 1; // every 64-bit ARM processor has NEON with multiply-add
}
#else
static const struct kernels *const built[] = {&kernels_baseline};

static int runs(const struct kernels *kernels) {
  (void)kernels;
  return 1;
}
#endif

const struct kernels *choose_kernels(const char *name) {
  for (size_t i = 0; i < sizeof built / sizeof *built; i++)
    if ((name == NULL || strcmp(name, built[i]->name) == 0) && runs(built[i])) return built[i];
  return NULL;
}
