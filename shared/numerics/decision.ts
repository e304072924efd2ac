/** What a network decides at an input, as one number: the `output` of a field. */
import { decisionThreshold, largestIndex } from "./classification.ts";
import type { FloatArray, NetworkShape } from "./network.ts";

/**
 * How to read it. `sign`: positive for the second of two classes. `label`: the number of the class, of more than two.
 */
export type Decision = "sign" | "label";

export function decisionOf({ outputs }: NetworkShape): Decision {
  return outputs > 2 ? "label" : "sign";
}

/**
 * The decisions from output activations [samples, outputs]. Of one output its activation, of a sigmoid minus ½; of two
 * the second less the first; of more the index of the largest, NaN if one is NaN.
 */
export function decisions(network: NetworkShape, outputs: FloatArray): Float32Array {
  const width = network.outputs;
  const found = new Float32Array(outputs.length / width);
  const threshold = decisionThreshold(network);
  for (let s = 0; s < found.length; s++) {
    const at = s * width;
    if (width === 1) found[s] = outputs[at]! - threshold;
    else if (width === 2) found[s] = outputs[at + 1]! - outputs[at]!;
    else {
      const isWhole = outputs.subarray(at, at + width).every((value) => !Number.isNaN(value));
      found[s] = isWhole ? largestIndex(outputs, at, width) : Number.NaN;
    }
  }
  return found;
}
