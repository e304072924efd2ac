import { activate as activateInFloat64 } from "../../../shared/numerics/activations.ts";
import { countCorrect } from "../../../shared/numerics/classification.ts";
import { checkLoss, lossAndDelta } from "../../../shared/numerics/loss-gradient.ts";
import type { NetworkShape } from "../../../shared/numerics/network.ts";
import type {
  Loss,
  OptimizerState,
  TrainingRule,
  TrainingSet,
  TrainingStats,
} from "../../../shared/numerics/training.ts";
import { activate, slopeFactor } from "./activations.ts";
import {
  joined,
  type Learned,
  type LearnedPart,
  layersWith,
  learnedFrom,
  writeMoments,
} from "./learned.ts";
import { type LayerTensors, localFields, type TensorNetwork, throwIfStopped } from "./network.ts";
import { updateRule } from "./optimizers.ts";
import type { Tensor } from "./tensorflow.ts";

export interface TrainingPass {
  readonly set: TrainingSet;
  readonly order: Uint32Array;
  readonly rule: TrainingRule;
  readonly state: OptimizerState;
}

/**
 * One pass over the samples of `order`: gives the layers after it, whose tensors are new where they learn,
 * and changes `state`. A pass that is stopped changes nothing.
 */
export function train(
  net: TensorNetwork,
  { set, order, rule, state }: TrainingPass,
): { readonly layers: readonly LayerTensors[]; readonly stats: TrainingStats } {
  checkLoss(rule.loss, net.shape);
  checkSamples(net.shape, set, order);
  const { tf } = net;
  const learning = rule.frozen.flatMap((isFrozen, l) => (isFrozen ? [] : [l]));
  const steps = Math.ceil(order.length / rule.batch);
  let lossSum = 0;
  let correct = 0;
  let now: Moment = {
    layers: net.layers,
    learned: learning.length === 0 ? null : learnedFrom(net, learning, state),
  };
  /** Goes on from `next` and disposes of what it has not taken over. */
  const goTo = (next: Moment) => {
    const kept = new Set([...tensorsOf(next), ...tensorsOf({ layers: net.layers, learned: null })]);
    tf.dispose(tensorsOf(now).filter((tensor) => !kept.has(tensor)));
    now = next;
  };
  try {
    for (let step = 0; step < steps; step++) {
      throwIfStopped(net);
      const samples = order.subarray(step * rule.batch, (step + 1) * rule.batch);
      const next = tf.tidy(() => {
        const current = { ...net, layers: now.layers };
        const batch = forward(current, set, samples);
        const { loss, hits, delta } = outputDelta(net.shape, rule.loss, batch);
        lossSum += loss;
        correct += hits;
        if (now.learned === null) return now;
        const top = tf.tensor2d(delta, [samples.length, net.shape.outputs]);
        const gradient = gradientOf(current, batch, { top, frozen: rule.frozen });
        const update = updateRule(tf, rule.optimizer, state.step + step + 1);
        const { weight, bias } = now.learned;
        const learned = {
          weight: update(weight, decayed(net, gradient.weight, { weight, rule })),
          bias: update(bias, gradient.bias),
        };
        return { learned, layers: layersWith(current, learning, learned) };
      });
      goTo(next);
    }
    if (now.learned !== null) writeMoments(learning, now.learned, state);
    state.step += steps;
    goTo({ layers: now.layers, learned: null });
    return { layers: now.layers, stats: { lossSum, correct, samples: order.length } };
  } catch (error) {
    goTo({ layers: net.layers, learned: null });
    throw error;
  }
}

/** @throws RangeError if the set is not whole or lacks a sample of the order. */
function checkSamples(
  network: NetworkShape,
  { samples, inputs, targets }: TrainingSet,
  order: Uint32Array,
): void {
  if (inputs.length !== samples * network.inputs || targets.length !== samples * network.outputs) {
    throw new RangeError(
      `expected inputs and targets of ${samples} samples, got ${inputs.length} and ${targets.length} numbers`,
    );
  }
  const missing = order.find((sample) => sample >= samples);
  if (missing !== undefined) {
    throw new RangeError(`expected samples below ${samples}, got ${missing}`);
  }
}

/** A network between two batches. */
interface Moment {
  readonly layers: readonly LayerTensors[];
  /** Null if no layer learns. */
  readonly learned: Learned | null;
}

function tensorsOf({ layers, learned }: Moment): Tensor[] {
  const parts = learned === null ? [] : [learned.weight, learned.bias];
  return [
    ...layers.flatMap(({ weight, bias }) => [weight, bias]),
    ...parts.flatMap(({ values, moments }) => [values, ...moments]),
  ];
}

/**
 * Going back, derivatives are multiplied by this. The library takes numbers below 1.2e-38 for zero, and slopes
 * of saturated layers come near.
 */
const LIFT = 2 ** 40;

interface Batch {
  readonly samples: number;
  /** x^(l) [samples, N_l] at index l, from the inputs to layer L. */
  readonly x: readonly Tensor[];
  /** b^(l) at index l − 1, up to the output layer. */
  readonly b: readonly Tensor[];
  /** [samples, outputs]. */
  readonly targets: Float32Array;
}

function forward(
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
  rows.forEach((row, i) => {
    gathered.set(values.subarray(row * width, (row + 1) * width), i * width);
  });
  return gathered;
}

/**
 * Sum of the loss, samples classified rightly, and LIFT·∂(mean loss)/∂b [samples, outputs] at the output layer.
 * These few numbers are made in float64 from the local fields, and stay finite where the outputs saturate.
 */
function outputDelta(network: NetworkShape, loss: Loss, batch: Batch) {
  const { samples } = batch;
  const b = Float64Array.from(batch.b.at(-1)!.dataSync());
  const [x, slope, delta] = [b, b, b].map(({ length }) => new Float64Array(length));
  activateInFloat64(network.outputActivation, { b, x: x!, slope: slope! }, b.length);
  const targets = Float64Array.from(batch.targets);
  const output = { b, x: x!, slope: slope!, targets, samples };
  return {
    loss: lossAndDelta(loss, output, delta!),
    hits: countCorrect(network, x!, output),
    delta: Float32Array.from(delta!, (d) => (d * LIFT) / samples),
  };
}

/**
 * δ^(l−1) = g'(b^(l−1)) ⊙ δ^(l)W^(l), ∂loss/∂W^(l) = Σ_s δ^(l)x^(l−1)ᵀ and ∂loss/∂bias^(l) = Σ_s δ^(l), from
 * the top as far down as a layer learns; joined, and without the LIFT of `top`.
 */
function gradientOf(
  { tf, shape, layers }: TensorNetwork,
  { x, b }: Batch,
  { top, frozen }: { readonly top: Tensor; readonly frozen: readonly boolean[] },
): LayerTensors {
  const gradients: LayerTensors[] = [];
  const lowest = frozen.indexOf(false);
  let delta = top;
  for (let l = layers.length - 1; l >= lowest; l--) {
    if (!frozen[l]) {
      gradients.unshift({ weight: tf.matMul(delta, x[l]!, true), bias: tf.sum(delta, 0, true) });
    }
    if (l > lowest) {
      const timesSlope = slopeFactor(tf, shape.activation, b[l - 1]!);
      delta = timesSlope(tf.matMul(delta, layers[l]!.weight));
    }
  }
  const { weight, bias } = joined(tf, gradients);
  return { weight: tf.mul(weight, 1 / LIFT), bias: tf.mul(bias, 1 / LIFT) };
}

/** The weights' gradient with their decay. */
function decayed(
  { tf }: TensorNetwork,
  gradient: Tensor,
  { weight, rule }: { readonly weight: LearnedPart; readonly rule: TrainingRule },
): Tensor {
  if (rule.weightDecay === 0) return gradient;
  return tf.add(gradient, tf.mul(weight.values, rule.weightDecay));
}
