import { activate as activateInFloat64 } from "../../../shared/numerics/activations.ts";
import { countCorrect } from "../../../shared/numerics/classification.ts";
import { lossAndDelta } from "../../../shared/numerics/loss-gradient.ts";
import type { TrainingRule, TrainingSet } from "../../../shared/numerics/training.ts";
import { activate, slopeFactor } from "./activations.ts";
import { type LayerTensors, localFields, type TensorNetwork } from "./network.ts";
import type { Tensor } from "./tensorflow.ts";

/** Rows of a training set with what the network makes of them. */
export interface Batch {
  readonly samples: number;
  /** x^(l) [samples, N_l] at index l, from the inputs to layer L. */
  readonly x: readonly Tensor[];
  /** b^(l) [samples, N_l] at index l − 1, up to the output layer. */
  readonly b: readonly Tensor[];
  /** [samples, outputs]. */
  readonly targets: Float32Array;
}

export function forward(
  { tf, shape, layers }: TensorNetwork,
  set: TrainingSet,
  samples: Uint32Array,
): Batch {
  const inputs = gather(set.inputs, shape.inputs, samples);
  const x = [tf.tensor2d(inputs, [samples.length, shape.inputs])];
  const b: Tensor[] = [];
  for (const layer of layers) {
    if (b.length > 0) x.push(activate(tf, shape.activation, b.at(-1)!));
    b.push(localFields(tf, layer, x.at(-1)!));
  }
  return { samples: samples.length, x, b, targets: gather(set.targets, shape.outputs, samples) };
}

/** These rows of `values` [any, width]. */
function gather(values: Float32Array, width: number, rows: Uint32Array): Float32Array {
  const gathered = new Float32Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    const from = rows[i]! * width;
    for (let j = 0; j < width; j++) gathered[i * width + j] = values[from + j]!;
  }
  return gathered;
}

/**
 * Going back, derivatives are multiplied by this. The library takes numbers below 1.2e-38 for zero, and the slopes
 * of saturated layers come near.
 */
const LIFT = 2 ** 40;

/**
 * Sum of the loss, samples classified rightly, and LIFT·∂(mean loss)/∂b [samples, outputs] at the output layer.
 * These few numbers are made in float64 from the local fields, and stay finite where the outputs saturate.
 */
export function outputDelta({ tf, shape }: TensorNetwork, batch: Batch, rule: TrainingRule) {
  const { samples } = batch;
  const b = Float64Array.from(batch.b.at(-1)!.dataSync());
  const [x, slope, delta] = [b, b, b].map(({ length }) => new Float64Array(length));
  activateInFloat64(shape.outputActivation, { b, x: x!, slope: slope! }, b.length);
  const output = {
    b,
    x: x!,
    slope: slope!,
    targets: Float64Array.from(batch.targets),
    samples,
  };
  const loss = lossAndDelta(rule.loss, output, delta!);
  const lifted = Float32Array.from(delta!, (d) => (d * LIFT) / samples);
  return {
    loss,
    hits: countCorrect(shape, x!, output),
    delta: tf.tensor2d(lifted, [samples, shape.outputs]),
  };
}

/** Up to here `cosh` of so many numbers is faster than its parts. Measured. */
const FEW = 5000;

/**
 * LIFT·∂(mean loss)/∂(parameters) of the layers that learn, at their indices:
 * δ^(l−1) = g'(b^(l−1)) ⊙ δ^(l)W^(l), ∂loss/∂W^(l) = Σ_s δ^(l)x^(l−1)ᵀ and ∂loss/∂bias^(l) = Σ_s δ^(l).
 */
export function liftedGradients(
  { tf, shape, layers }: TensorNetwork,
  { x, b }: Batch,
  { delta: top, frozen }: { readonly delta: Tensor; readonly frozen: readonly boolean[] },
): Record<number, LayerTensors> {
  const gradients: Record<number, LayerTensors> = {};
  const lowest = frozen.indexOf(false);
  let delta = top;
  for (let l = layers.length - 1; l >= lowest; l--) {
    if (!frozen[l]) {
      gradients[l] = { weight: tf.matMul(delta, x[l]!, true), bias: tf.sum(delta, 0, true) };
    }
    if (l > lowest) {
      const below = b[l - 1]!;
      const by = below.size < FEW ? "cosh" : "exp";
      const timesSlope = slopeFactor(tf, shape.activation, below, by);
      delta = timesSlope(tf.matMul(delta, layers[l]!.weight));
    }
  }
  return gradients;
}

/** Takes the LIFT off a gradient. */
export function lowered({ tf }: TensorNetwork, gradient: Tensor): Tensor {
  return tf.mul(gradient, 1 / LIFT);
}
