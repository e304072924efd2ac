import { exp, log } from "./elementary.ts";
import { logPartition } from "./losses.ts";

/** Softmax of each row of logits [samples, classes]. */
export function softmax(logits: Float64Array, classes: number): Float64Array {
  const found = new Float64Array(logits.length);
  for (let at = 0; at < logits.length; at += classes) {
    const normalisation = logPartition(logits, at, classes);
    for (let i = at; i < at + classes; i++) found[i] = exp(logits[i]! - normalisation);
  }
  return found;
}

/** −Σ p ln p of `classes` probabilities from `from` on; natural logarithm. */
export function entropyOf(probabilities: ArrayLike<number>, from: number, classes: number): number {
  let sum = 0;
  for (let i = from; i < from + classes; i++) {
    const p = probabilities[i]!;
    if (Number.isNaN(p)) return Number.NaN;
    if (p > 0) sum -= p * log(p);
  }
  return sum;
}
