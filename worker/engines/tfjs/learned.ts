import { type FloatArray, layerWidths } from "../../../shared/numerics/network.ts";
import type { OptimizerState, TrainingRule } from "../../../shared/numerics/training.ts";
import type { LayerTensors, TensorNetwork } from "./network.ts";
import type { Tensor, TensorFlow } from "./tensorflow.ts";

/**
 * Parameters that the optimiser takes together, in one tensor: matrices of the same number of columns, one
 * below the other, or all biases, side by side. A call's own cost is far above that of its few numbers.
 */
export interface Group {
  readonly kind: "weight" | "bias";
  /** Indices 0 … L of the layers. */
  readonly members: readonly number[];
}

export interface Learned {
  readonly group: Group;
  readonly values: Tensor;
  /** What the optimiser remembers; of the shape of the values. */
  readonly moments: readonly Tensor[];
}

/** The parameters of the layers that learn, with what `state` remembers of them. */
export function learnedFrom(
  { tf, shape, layers }: TensorNetwork,
  rule: TrainingRule,
  { moments }: OptimizerState,
): Learned[] {
  const widths = layerWidths(shape);
  return groupsOf(widths, rule).map((group) => {
    const { kind, members } = group;
    const first = members[0]!;
    return {
      group,
      values: joined(tf, group, layers),
      moments: moments[first]![kind].map((_, m) => {
        const flat = concatenated(members.map((l) => moments[l]![kind][m]!));
        const columns = kind === "weight" ? widths[first]! : flat.length;
        return tf.tensor2d(flat, [flat.length / columns, columns]);
      }),
    };
  });
}

function groupsOf(widths: readonly number[], { frozen }: TrainingRule): Group[] {
  const learning = frozen.flatMap((isFrozen, l) => (isFrozen ? [] : [l]));
  const columns = [...new Set(learning.map((l) => widths[l]!))];
  const matrices = columns.map((width) => learning.filter((l) => widths[l] === width));
  const biases = learning.length > 0 ? [{ kind: "bias", members: learning } as const] : [];
  return [...matrices.map((members) => ({ kind: "weight", members }) as const), ...biases];
}

/** The members' parameters in one tensor: a single member's own tensor, not a copy. */
export function joined(
  tf: TensorFlow,
  { kind, members }: Group,
  layers: Readonly<Record<number, LayerTensors>>,
): Tensor {
  const parts = members.map((l) => layers[l]![kind]);
  return parts.length === 1 ? parts[0]! : tf.concat(parts, axisOf[kind]);
}

const axisOf = { weight: 0, bias: 1 };

/** The network's layers, those that learn from what was learned. */
export function layersWith(
  { tf, shape, layers }: TensorNetwork,
  learned: readonly Learned[],
): LayerTensors[] {
  const widths = layerWidths(shape);
  const result = layers.map((layer) => ({ ...layer }));
  for (const { group, values } of learned) {
    const { kind, members } = group;
    const sizes = members.map((l) => widths[l + 1]!);
    const parts = members.length === 1 ? [values] : tf.split(values, sizes, axisOf[kind]);
    members.forEach((l, i) => {
      result[l]![kind] = parts[i]!;
    });
  }
  return result;
}

/** Brings what the optimiser remembers back to the caller. */
export function writeMoments(learned: readonly Learned[], state: OptimizerState): void {
  for (const { group, moments } of learned) {
    moments.forEach((tensor, m) => {
      const flat = tensor.dataSync();
      let at = 0;
      for (const l of group.members) {
        const array = state.moments[l]![group.kind][m]!;
        array.set(flat.subarray(at, at + array.length));
        at += array.length;
      }
    });
  }
}

function concatenated(arrays: readonly FloatArray[]): Float32Array {
  const flat = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    flat.set(array, at);
    at += array.length;
  }
  return flat;
}
