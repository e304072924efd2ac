import type { RandomStream } from "./random-stream.ts";

/** A random order of 0 … n − 1, each equally likely (Fisher–Yates; Durstenfeld, CACM 7, 420 (1964)). */
export function permutation(n: number, stream: RandomStream): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = stream.below(i + 1);
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  return order;
}
