/** Loss, correctness and margin of single samples, from output activations. */
import { countCorrect, decisionThreshold, largestIndex } from "./classification.ts";
import { lossSum } from "./losses.ts";
import type { NetworkShape } from "./network.ts";
import type { Loss, TrainingSet } from "./training.ts";

/** The loss of each sample; [samples]. */
export function sampleLosses(loss: Loss, outputs: Float64Array, set: TrainingSet): Float64Array {
  const width = outputs.length / set.samples;
  return Float64Array.from({ length: set.samples }, (_, s) => {
    const [from, to] = [s * width, (s + 1) * width];
    const targets = set.targets.subarray(from, to);
    return lossSum(loss, outputs.subarray(from, to), { samples: 1, targets });
  });
}

/** Whether each sample is classified correctly: 1 or 0; [samples]. */
export function sampleHits(
  network: NetworkShape,
  outputs: Float64Array,
  set: TrainingSet,
): Float64Array {
  const width = network.outputs;
  return Float64Array.from({ length: set.samples }, (_, s) => {
    const [from, to] = [s * width, (s + 1) * width];
    const targets = set.targets.subarray(from, to);
    return countCorrect(network, outputs.subarray(from, to), { samples: 1, targets });
  });
}

/**
 * How far each output is on its target's side: of one output its distance from the threshold, of several the right one
 * less the largest other; negative where the decision is wrong; [samples].
 */
export function outputMargins(
  network: NetworkShape,
  outputs: Float64Array,
  { samples, targets }: TrainingSet,
): Float64Array {
  const width = network.outputs;
  const threshold = decisionThreshold(network);
  return Float64Array.from({ length: samples }, (_, s) => {
    const at = s * width;
    if (width === 1) {
      const side = targets[s]! > threshold ? 1 : -1;
      return side * (outputs[s]! - threshold);
    }
    const label = largestIndex(targets, at, width);
    let other = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < width; i++) if (i !== label) other = Math.max(other, outputs[at + i]!);
    return outputs[at + label]! - other;
  });
}
