/** How fast this instruction set's multiply-adds are at best: what speeds are compared with. */
#define _POSIX_C_SOURCE 200809L
#include "kernel.h"
#include "vector.h"

#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#if defined(ISA_avx512)
#define IN_REGISTER "+v"
#elif defined(ISA_neon)
#define IN_REGISTER "+w"
#else
#define IN_REGISTER "+x"
#endif

/** Independent sums, enough to hide the latency of a multiply-add. */
#define CHAINS (REGISTERS == 32 ? 24 : 12)

static __attribute__((noinline)) vf burst(vf seed, size_t rounds) {
  vf sums[CHAINS];
  _Pragma("GCC unroll 24") for (int i = 0; i < CHAINS; i++) sums[i] = seed;
  const vf factor = splat(0.5f);
  for (size_t n = 0; n < rounds; n++) {
    _Pragma("GCC unroll 24") for (int i = 0; i < CHAINS; i++) sums[i] = fma_(sums[i], factor, seed);
    // Keeps the compiler from seeing through the loop.
    _Pragma("GCC unroll 24") for (int i = 0; i < CHAINS; i++) __asm__ volatile("" : IN_REGISTER(sums[i]) : : );
  }
  vf total = sums[0];
  _Pragma("GCC unroll 24") for (int i = 1; i < CHAINS; i++) total += sums[i];
  return total;
}

double KERNEL(peak)(double seconds) {
  const size_t rounds = 1000;
  const double start = now();
  double elapsed = 0;
  size_t bursts = 0;
  vf seed = splat(1);
  do {
    seed = burst(seed, rounds);
    bursts++;
    elapsed = now() - start;
  } while (elapsed < seconds);
  return 2.0 * LANES * CHAINS * (double)rounds * (double)bursts / elapsed;
}
