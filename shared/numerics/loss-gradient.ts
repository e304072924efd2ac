import { exp, log1p } from "./elementary.ts";
import { logPartition } from "./losses.ts";
import type { NetworkShape } from "./network.ts";
import type { Loss } from "./training.ts";

/** One batch at the output layer, each array row-major [samples, outputs]. */
export interface OutputBatch {
  /** Local fields; logits for the cross-entropies. */
  readonly b: Float64Array;
  /** Activations x = g(b). */
  readonly x: Float64Array;
  /** g'(b). */
  readonly slope: Float64Array;
  readonly targets: Float64Array;
  readonly samples: number;
}

/**
 * Sum of the loss over the samples; leaves ∂(loss of the sample)/∂b in `delta` [samples, outputs].
 *
 * Squared error Σ_i (x_i − t_i)²; softmax cross-entropy −Σ_i t_i ln p_i with p = softmax(b), Σ_i t_i = 1;
 * binary cross-entropy −Σ_i [t_i ln x_i + (1 − t_i) ln(1 − x_i)] with x = 1/(1 + exp(−b)). The
 * cross-entropies are computed from b and stay finite where x saturates.
 */
export function lossAndDelta(loss: Loss, batch: OutputBatch, delta: Float64Array): number {
  switch (loss) {
    case "squared-error":
      return squaredError(batch, delta);
    case "softmax-cross-entropy":
      return softmaxCrossEntropy(batch, delta);
    case "binary-cross-entropy":
      return binaryCrossEntropy(batch, delta);
  }
}

/** @throws RangeError if the loss needs another output activation than the network has. */
export function checkLoss(loss: Loss, { outputActivation }: NetworkShape): void {
  const needed = neededOutput[loss];
  if (needed !== null && needed !== outputActivation) {
    throw new RangeError(`${loss} needs a ${needed} output layer, got ${outputActivation}`);
  }
}

const neededOutput = {
  "squared-error": null,
  "softmax-cross-entropy": "linear",
  "binary-cross-entropy": "sigmoid",
} as const;

function squaredError(batch: OutputBatch, delta: Float64Array): number {
  const { x, slope, targets } = batch;
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const error = x[i]! - targets[i]!;
    sum += error * error;
    delta[i] = 2 * error * slope[i]!;
  }
  return sum;
}

/** ∂/∂b_i = p_i − t_i with ln p_i = b_i − ln Z. */
function softmaxCrossEntropy(batch: OutputBatch, delta: Float64Array): number {
  const { b, targets, samples } = batch;
  const outputs = b.length / samples;
  let sum = 0;
  for (let from = 0; from < b.length; from += outputs) {
    const logZ = logPartition(b, from, outputs);
    for (let i = from; i < from + outputs; i++) {
      const logP = b[i]! - logZ;
      const target = targets[i]!;
      if (target !== 0) sum -= target * logP;
      delta[i] = exp(logP) - target;
    }
  }
  return sum;
}

/** ∂/∂b = x − t; the loss is max(b, 0) − b t + ln(1 + exp(−|b|)). */
function binaryCrossEntropy(batch: OutputBatch, delta: Float64Array): number {
  const { b, x, targets } = batch;
  let sum = 0;
  for (let i = 0; i < b.length; i++) {
    const logit = b[i]!;
    const target = targets[i]!;
    sum += Math.max(logit, 0) - logit * target + log1p(exp(-Math.abs(logit)));
    delta[i] = x[i]! - target;
  }
  return sum;
}
