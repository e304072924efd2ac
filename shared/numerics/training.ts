/** How a network is trained: samples, losses, optimisers and their state. */
import type { FloatArray, NetworkShape } from "./network.ts";

/** Squared error Σ(x − t)², softmax cross-entropy of logits, or binary cross-entropy of a sigmoid output. */
export type Loss = "squared-error" | "softmax-cross-entropy" | "binary-cross-entropy";

export type Optimizer =
  | { readonly name: "sgd"; readonly learningRate: number; readonly momentum: number }
  | {
      readonly name: "adam";
      readonly learningRate: number;
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
    }
  | {
      readonly name: "rmsprop";
      readonly learningRate: number;
      readonly decay: number;
      readonly epsilon: number;
    };

/** One training's rule, the same for every batch. */
export interface TrainingRule {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /** The learning rate of each update, counted from 0 as the state's `step` is; absent: always the optimizer's own. */
  readonly rateAt?: ((step: number) => number) | undefined;
  /** Samples per batch, ≥ 1. */
  readonly batch: number;
  /** Coefficient of w added to the gradient of every weight w (not of biases), ≥ 0. */
  readonly weightDecay: number;
  /** For each of the L + 1 layers: whether its weight and bias are frozen. */
  readonly frozen: readonly boolean[];
}

/** The learning rate of the update that brings the state from `step` to `step` + 1. */
export function learningRate({ optimizer, rateAt }: TrainingRule, step: number): number {
  return rateAt === undefined ? optimizer.learningRate : rateAt(step);
}

/** An optimiser's state between steps; plain data, so that another process can continue a training. */
export interface OptimizerState {
  /** Updates made so far. */
  step: number;
  /** For each layer, for each moment the optimiser keeps: its values for weight and bias. */
  readonly moments: readonly {
    readonly weight: readonly FloatArray[];
    readonly bias: readonly FloatArray[];
  }[];
}

/** Samples with their targets; row-major. */
export interface TrainingSet {
  /** Number of samples. */
  readonly samples: number;
  /** [samples, N_0]. */
  readonly inputs: Float32Array;
  /** [samples, outputs]; one-hot for softmax cross-entropy, 0 or 1 for binary cross-entropy. */
  readonly targets: Float32Array;
}

export interface TrainingStats {
  /** Sum over the samples of the loss before each batch's update. */
  readonly lossSum: number;
  /** How many samples the network classified correctly before each batch's update. */
  readonly correct: number;
  /** Samples seen. */
  readonly samples: number;
}

/** @throws RangeError if the set is incomplete or does not have a sample of the order. */
export function checkSamples(network: NetworkShape, set: TrainingSet, order: Uint32Array): void {
  const { samples, inputs, targets } = set;
  if (inputs.length !== samples * network.inputs || targets.length !== samples * network.outputs) {
    throw new RangeError(
      `expected inputs and targets of ${samples} samples, got ${inputs.length} and ${targets.length} numbers`,
    );
  }
  const missing = order.find((sample) => sample >= samples);
  if (missing !== undefined)
    throw new RangeError(`expected samples below ${samples}, got ${missing}`);
}
