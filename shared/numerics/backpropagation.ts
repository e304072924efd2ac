import type { Activated } from "./activations.ts";
import { countCorrect } from "./classification.ts";
import { forward, layerBuffers } from "./forward.ts";
import { checkLoss, lossAndDelta, type OutputBatch } from "./loss-gradient.ts";
import { addProduct, rowMajor, transposed } from "./matrix-product.ts";
import { type Float64Weights, layerWidths, type NetworkShape } from "./network.ts";
import { optimizerStep } from "./optimizers.ts";
import type { OptimizerState, TrainingRule, TrainingSet, TrainingStats } from "./training.ts";
import { checkSamples } from "./training.ts";

/** Trains one network; keeps its buffers between passes. */
export type Trainer = (pass: {
  readonly set: TrainingSet;
  readonly order: Uint32Array;
  readonly rule: TrainingRule;
  readonly state: OptimizerState;
}) => TrainingStats;

/**
 * Mini-batch training of `weights`, which it changes together with the optimiser's state.
 *
 * A pass goes over the samples that `order` lists, in that order, in batches of `rule.batch` (the last may
 * be smaller); each batch's loss is the mean over its samples. A pass throws RangeError if the loss does
 * not fit the output layer.
 */
export function trainer(network: NetworkShape, weights: Float64Weights): Trainer {
  let room = batchBuffers(network, 0);
  return ({ set, order, rule, state }) => {
    checkLoss(rule.loss, network);
    checkSamples(network, set, order);
    const largest = Math.min(rule.batch, order.length);
    if (room.targets.length < largest * network.outputs) room = batchBuffers(network, largest);
    let lossSum = 0;
    let correct = 0;
    for (let from = 0; from < order.length; from += rule.batch) {
      const batch = order.subarray(from, from + rule.batch);
      const samples = batch.length;
      gather(set, batch, room);
      forward(network, weights, { inputs: room.inputs, samples, buffers: room.layers });
      const output = outputBatch(room, samples, samples * network.outputs);
      correct += countCorrect(network, output.x, output);
      lossSum += lossAndDelta(rule.loss, output, room.deltas.at(-1)!);
      backpropagate(weights, room, { samples, frozen: rule.frozen });
      optimizerStep(weights, room.gradient, rule, state);
    }
    return { lossSum, correct, samples: order.length };
  };
}

/** Everything a batch needs, allocated once; the first index of each array is the sample. */
interface BatchBuffers {
  /** [batch, N_0]. */
  readonly inputs: Float64Array;
  /** [batch, outputs]. */
  readonly targets: Float64Array;
  /** Of the layers l = 1 … L+1, each [batch, N_l]. */
  readonly layers: Activated[];
  /** ∂loss/∂b^(l) of each sample, divided by the samples of the batch; [batch, N_l]. */
  readonly deltas: Float64Array[];
  /** Gradient of the batch's mean loss, in the shape of the weights. */
  readonly gradient: Float64Weights;
}

function batchBuffers(network: NetworkShape, batch: number): BatchBuffers {
  const layers = layerBuffers(network, batch);
  const widths = layerWidths(network);
  return {
    inputs: new Float64Array(batch * network.inputs),
    targets: new Float64Array(batch * network.outputs),
    layers,
    deltas: layers.map(({ b }) => new Float64Array(b.length)),
    gradient: widths.slice(1).map((rows, below) => ({
      weight: new Float64Array(rows * widths[below]!),
      bias: new Float64Array(rows),
    })),
  };
}

function gather(set: TrainingSet, batch: Uint32Array, { inputs, targets }: BatchBuffers): void {
  const N0 = set.inputs.length / set.samples;
  const outputs = set.targets.length / set.samples;
  for (let s = 0; s < batch.length; s++) {
    const sample = batch[s]!;
    for (let i = 0; i < N0; i++) inputs[s * N0 + i] = set.inputs[sample * N0 + i]!;
    for (let i = 0; i < outputs; i++) targets[s * outputs + i] = set.targets[sample * outputs + i]!;
  }
}

function outputBatch(
  { layers, targets }: BatchBuffers,
  samples: number,
  length: number,
): OutputBatch {
  const { b, x, slope } = layers.at(-1)!;
  return {
    b: b.subarray(0, length),
    x: x.subarray(0, length),
    slope: slope.subarray(0, length),
    targets: targets.subarray(0, length),
    samples,
  };
}

/**
 * From δ^(L+1) down: ∂loss/∂W^(l) = Σ_s δ^(l) x^(l−1)ᵀ, ∂loss/∂bias^(l) = Σ_s δ^(l), and
 * δ^(l−1) = g'(b^(l−1)) ⊙ W^(l)ᵀ δ^(l), down to the lowest layer that still learns.
 */
function backpropagate(
  weights: Float64Weights,
  room: BatchBuffers,
  { samples, frozen }: { samples: number; frozen: readonly boolean[] },
): void {
  const lowest = frozen.indexOf(false);
  if (lowest < 0) return;
  const top = room.deltas.at(-1)!;
  const outputs = weights.at(-1)!.bias.length;
  for (let i = 0; i < samples * outputs; i++) top[i] = top[i]! / samples;
  for (let l = weights.length - 1; l >= lowest; l--) {
    const below = l === 0 ? room.inputs : room.layers[l - 1]!.x;
    const delta = room.deltas[l]!;
    const rows = weights[l]!.bias.length;
    const cols = weights[l]!.weight.length / rows;
    if (!frozen[l]) layerGradient({ delta, below, samples, rows, cols }, room.gradient[l]!);
    if (l === lowest) return;
    const deltaBelow = room.deltas[l - 1]!.fill(0);
    addProduct(
      rowMajor(deltaBelow, cols),
      rowMajor(delta, rows),
      rowMajor(weights[l]!.weight, cols),
      { rows: samples, terms: rows, columns: cols },
    );
    const { slope } = room.layers[l - 1]!;
    for (let i = 0; i < samples * cols; i++) deltaBelow[i] = deltaBelow[i]! * slope[i]!;
  }
}

function layerGradient(
  layer: {
    /** [samples, rows]. */
    readonly delta: Float64Array;
    /** [samples, cols]. */
    readonly below: Float64Array;
    readonly samples: number;
    readonly rows: number;
    readonly cols: number;
  },
  gradient: Float64Weights[number],
): void {
  const { delta, below, samples, rows, cols } = layer;
  gradient.weight.fill(0);
  addProduct(
    rowMajor(gradient.weight, cols),
    transposed(rowMajor(delta, rows)),
    rowMajor(below, cols),
    { rows, terms: samples, columns: cols },
  );
  gradient.bias.fill(0);
  for (let s = 0; s < samples; s++) {
    for (let i = 0; i < rows; i++) gradient.bias[i] = gradient.bias[i]! + delta[s * rows + i]!;
  }
}
