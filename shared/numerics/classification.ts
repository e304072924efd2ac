import type { Targets } from "./losses.ts";
import type { FloatArray, NetworkShape } from "./network.ts";

/**
 * How many of the samples `outputs` [samples, outputs] classifies correctly.
 *
 * One output: on the target's side of ½ for a sigmoid (targets 0 and 1), of 0 otherwise (targets −1 and 1).
 * Several: the largest output is where the largest target is; of equal ones the first counts.
 */
export function countCorrect(
  network: NetworkShape,
  outputs: FloatArray,
  { samples, targets }: Targets,
): number {
  const width = network.outputs;
  const boundary = network.outputActivation === "sigmoid" ? 0.5 : 0;
  let correct = 0;
  for (let s = 0; s < samples; s++) {
    const isCorrect =
      width === 1
        ? outputs[s]! > boundary === targets[s]! > boundary
        : largestIndex(outputs, s * width, width) === largestIndex(targets, s * width, width);
    if (isCorrect) correct++;
  }
  return correct;
}

/**
 * The class that the outputs of a sample, from `at` on, decide for: of one output whether it is above ½ for a sigmoid,
 * above 0 otherwise; of several the largest.
 */
export function decidedClass(network: NetworkShape, outputs: FloatArray, at: number): number {
  if (network.outputs > 1) return largestIndex(outputs, at, network.outputs);
  return Number(outputs[at]! > (network.outputActivation === "sigmoid" ? 0.5 : 0));
}

/** The index, from 0, of the largest of `count` values from `from` on; of equal ones the first. */
export function largestIndex(values: FloatArray, from: number, count: number): number {
  let index = 0;
  for (let i = 1; i < count; i++) if (values[from + i]! > values[from + index]!) index = i;
  return index;
}
