import { exp, log } from "./elementary.ts";
import type { FloatArray } from "./network.ts";
import type { Loss } from "./training.ts";

/** What the outputs should be; [samples, outputs]. */
export interface Targets {
  readonly samples: number;
  readonly targets: FloatArray;
}

/** The lower bound of logarithms where a sigmoid has saturated on the wrong side, as in PyTorch. */
const MIN_LOG = -100;

/** Sum of the loss over the samples, from the output activations [samples, outputs] alone. */
export function lossSum(loss: Loss, outputs: FloatArray, { samples, targets }: Targets): number {
  const width = targets.length / samples;
  let sum = 0;
  for (let i = 0; i < targets.length; i++) {
    const x = outputs[i]!;
    const t = targets[i]!;
    switch (loss) {
      case "squared-error":
        sum += (x - t) * (x - t);
        break;
      case "softmax-cross-entropy":
        if (i % width === 0) sum += logPartition(outputs, i, width);
        sum -= t * x;
        break;
      case "binary-cross-entropy":
        sum -= t * Math.max(log(x), MIN_LOG) + (1 - t) * Math.max(log(1 - x), MIN_LOG);
    }
  }
  return sum;
}

/** The smallest mean loss of an output that does not depend on the input. */
export function constantLoss(loss: Loss, { samples, targets }: Targets): number {
  const width = targets.length / samples;
  let least = 0;
  for (let i = 0; i < width; i++) {
    let mean = 0;
    let meanSquare = 0;
    for (let at = i; at < targets.length; at += width) {
      mean += targets[at]! / samples;
      meanSquare += targets[at]! ** 2 / samples;
    }
    switch (loss) {
      case "squared-error":
        least += meanSquare - mean * mean;
        break;
      case "softmax-cross-entropy":
        least += entropy(mean);
        break;
      case "binary-cross-entropy":
        least += entropy(mean) + entropy(1 - mean);
    }
  }
  return least;
}

/** ln Z = ln Σ_i exp(b_i) over `count` logits from `from` on, without overflow. */
export function logPartition(b: FloatArray, from: number, count: number): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = from; i < from + count; i++) max = Math.max(max, b[i]!);
  let sum = 0;
  for (let i = from; i < from + count; i++) sum += exp(b[i]! - max);
  return max + log(sum);
}

/** −p ln p. */
function entropy(p: number): number {
  return p > 0 ? -p * log(p) : 0;
}
