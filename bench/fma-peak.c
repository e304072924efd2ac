/*
 * The highest rate of multiply-adds on one core: independent chains in registers of the widest vectors.
 * For each line of JSON {"run": ms} answers {"units": flops, "seconds": s}, like every contestant.
 * cc -O3 -march=native -ffp-contract=fast -o fma-peak fma-peak.c
 */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif
/* Latency times throughput is 8 to 10 on today's cores; 12 leave registers for the two factors. */
#define CHAINS 12
#define TURNS 100000

typedef float vec __attribute__((vector_size(4 * LANES)));

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

/* x ← x·a + b with |a| < 1 stays finite and normal. */
static float turns(float start) {
  vec x[CHAINS], a, b;
  for (int i = 0; i < LANES; i++) a[i] = 0.5f + start, b[i] = 1.0f + start;
  for (int c = 0; c < CHAINS; c++) x[c] = b * (float)(c + 1);
  for (int turn = 0; turn < TURNS; turn++)
    for (int c = 0; c < CHAINS; c++) x[c] = x[c] * a + b;
  vec sum = x[0];
  for (int c = 1; c < CHAINS; c++) sum += x[c];
  return sum[0];
}

int main(void) {
  static char line[1 << 16]; /* a case can be a long line */
  volatile float kept = 0;
  while (fgets(line, sizeof line, stdin)) {
    const char *run = strstr(line, "\"run\":");
    if (!run) {
      printf("{\"check\": [], \"chosen\": \"%d lanes\"}\n", LANES);
    } else {
      const double at_least = atof(run + 6) / 1000, start = now();
      double flops = 0, seconds;
      do {
        kept = turns(kept * 0);
        flops += 2.0 * LANES * CHAINS * TURNS;
        seconds = now() - start;
      } while (seconds < at_least);
      printf("{\"units\": %.0f, \"seconds\": %.9f}\n", flops, seconds);
    }
    fflush(stdout);
  }
  return 0;
}
