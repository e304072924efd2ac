import type { Targets } from "./losses.ts";
import type { FloatArray, NetworkShape } from "./network.ts";

/** What separates the classes of a single output: ½ for a sigmoid (targets 0 and 1), 0 otherwise (targets −1 and 1). */
export function decisionThreshold({ outputActivation }: NetworkShape): number {
  return outputActivation === "sigmoid" ? 0.5 : 0;
}

/**
 * How many of the samples `outputs` [samples, outputs] classifies correctly.
 *
 * One output: on the target's side of the threshold.
 * Several: the largest output is where the largest target is; of equal ones the first counts.
 */
export function countCorrect(
  network: NetworkShape,
  outputs: FloatArray,
  { samples, targets }: Targets,
): number {
  const width = network.outputs;
  const threshold = decisionThreshold(network);
  let correct = 0;
  for (let s = 0; s < samples; s++) {
    const isCorrect =
      width === 1
        ? outputs[s]! > threshold === targets[s]! > threshold
        : largestIndex(outputs, s * width, width) === largestIndex(targets, s * width, width);
    if (isCorrect) correct++;
  }
  return correct;
}

/**
 * The class that the outputs of a sample, from `at` on, decide for: of one output whether it is above
 * the threshold; of several the largest.
 */
export function decidedClass(network: NetworkShape, outputs: FloatArray, at: number): number {
  if (network.outputs > 1) return largestIndex(outputs, at, network.outputs);
  return Number(outputs[at]! > decisionThreshold(network));
}

/** The index, from 0, of the largest of `count` values from `from` on; of equal ones the first. */
export function largestIndex(values: FloatArray, from: number, count: number): number {
  let index = 0;
  for (let i = 1; i < count; i++) if (values[from + i]! > values[from + index]!) index = i;
  return index;
}
