import { type FloatArray, layerWidths } from "../../../shared/numerics/network.ts";
import type { OptimizerState } from "../../../shared/numerics/training.ts";
import type { LayerTensors, TensorNetwork } from "./network.ts";
import type { Tensor, TensorFlow } from "./tensorflow.ts";

/**
 * What an optimiser works on: the weights of all layers that learn in one tensor [1, n], and so their biases,
 * which takes fewer calls than layer by layer.
 */
export interface Learned {
  readonly weight: LearnedPart;
  readonly bias: LearnedPart;
}

export interface LearnedPart {
  readonly values: Tensor;
  /** What the optimiser remembers; of the shape of the values. */
  readonly moments: readonly Tensor[];
}

/** From the layers with the indices `learning`, of which there is at least one. */
export function learnedFrom(
  { tf, layers }: TensorNetwork,
  learning: readonly number[],
  { moments }: OptimizerState,
): Learned {
  const remembered = (kind: "weight" | "bias") =>
    moments[learning[0]!]![kind].map((_, m) => {
      const flat = joinedArrays(learning.map((l) => moments[l]![kind][m]!));
      return tf.tensor2d(flat, [1, flat.length]);
    });
  const values = joined(
    tf,
    learning.map((l) => layers[l]!),
  );
  return {
    weight: { values: values.weight, moments: remembered("weight") },
    bias: { values: values.bias, moments: remembered("bias") },
  };
}

/** The layers' weights in one tensor [1, n], and their biases in another. */
export function joined(tf: TensorFlow, layers: readonly LayerTensors[]): LayerTensors {
  return tf.tidy(() => ({
    weight: tf.concat(
      layers.map(({ weight }) => tf.reshape(weight, [1, -1])),
      1,
    ),
    bias: tf.concat(
      layers.map(({ bias }) => bias),
      1,
    ),
  }));
}

/** The network's layers, those with the indices `learning` from what was learned. */
export function layersWith(
  { tf, shape, layers }: TensorNetwork,
  learning: readonly number[],
  { weight, bias }: Learned,
): LayerTensors[] {
  const widths = layerWidths(shape);
  const sizes = learning.map((l) => widths[l]! * widths[l + 1]!);
  const weights = tf.split(weight.values, sizes, 1);
  const biases = tf.split(
    bias.values,
    learning.map((l) => widths[l + 1]!),
    1,
  );
  const result = [...layers];
  learning.forEach((l, i) => {
    const matrix = tf.reshape(weights[i]!, [widths[l + 1]!, widths[l]!]);
    result[l] = { weight: matrix, bias: biases[i]! };
  });
  return result;
}

/** Brings what the optimiser remembers back to the caller. */
export function writeMoments(
  learning: readonly number[],
  learned: Learned,
  { moments }: OptimizerState,
): void {
  for (const kind of ["weight", "bias"] as const) {
    learned[kind].moments.forEach((tensor, m) => {
      const flat = tensor.dataSync();
      let at = 0;
      for (const l of learning) {
        const array = moments[l]![kind][m]!;
        array.set(flat.subarray(at, at + array.length));
        at += array.length;
      }
    });
  }
}

function joinedArrays(arrays: readonly FloatArray[]): Float32Array {
  const flat = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    flat.set(array, at);
    at += array.length;
  }
  return flat;
}
