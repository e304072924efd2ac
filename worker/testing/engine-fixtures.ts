/** Networks, points and comparisons that the parts of the engine contract share. */
import assert from "node:assert/strict";
import { initialWeights } from "../../shared/numerics/initialise.ts";
import type { Activation, NetworkShape, Weights } from "../../shared/numerics/network.ts";
import { randomStream } from "../../shared/numerics/random-stream.ts";
import type { TrainingRule, TrainingSet } from "../../shared/numerics/training.ts";
import type { Engine, LoadedNetwork } from "../engines/engine.ts";

export const activations: readonly Activation[] = ["tanh", "sigmoid", "relu", "linear"];

export const tanhNetwork: NetworkShape = {
  inputs: 2,
  hidden: [7, 6],
  outputs: 1,
  activation: "tanh",
  outputActivation: "tanh",
};

/** Random weights with thresholds, rounded to float32 so that every engine computes with the same. */
export function weightsOf(
  network: NetworkShape,
  { gain = 1, thresholdVariance = 0.25 } = {},
): { weight: Float64Array; bias: Float64Array }[] {
  const scale = { weightVariance: gain / network.hidden[0]!, thresholdVariance };
  return initialWeights(network, scale, [17, 4]).map(({ weight, bias }) => ({
    weight: Float64Array.from(weight, Math.fround),
    bias: Float64Array.from(bias, Math.fround),
  }));
}

export function somePoints(count: number): Float32Array {
  const { normal } = randomStream([2, 9], "data", 0);
  return Float32Array.from({ length: count }, normal);
}

export function zeros(n: number): Float64Array {
  return new Float64Array(n);
}

/** The widths of `depth` layers of equal width. */
export function layers(depth: number, width: number): number[] {
  return new Array<number>(depth).fill(width);
}

export function diagonal(elements: readonly number[], bias: readonly number[]) {
  const n = elements.length;
  const weight = new Float64Array(n * n);
  for (const [i, element] of elements.entries()) weight[i * (n + 1)] = element;
  return { weight, bias: Float64Array.from(bias) };
}

/** An output layer of one neuron. */
export function head(inputs: number) {
  return { weight: new Float64Array(inputs).fill(0.5), bias: Float64Array.of(0) };
}

/** Random inputs. Targets are one-hot; of a single output −1 or 1, or 0 or 1 if it is a sigmoid. */
export function trainingSet(network: NetworkShape, samples: number): TrainingSet {
  const { inputs, outputs, outputActivation } = network;
  const low = outputActivation === "sigmoid" || outputs > 1 ? 0 : -1;
  const targets = Float32Array.from({ length: samples * outputs }, (_, at) => {
    const sample = Math.floor(at / outputs);
    const isHigh = outputs === 1 ? sample % 2 === 1 : at % outputs === sample % outputs;
    return isHigh ? 1 : low;
  });
  return { samples, inputs: somePoints(samples * inputs), targets };
}

/** By default plain gradient descent on the squared error. */
export function ruleFor(network: NetworkShape, rule: Partial<TrainingRule> = {}): TrainingRule {
  return {
    loss: "squared-error",
    optimizer: { name: "sgd", learningRate: 0.05, momentum: 0 },
    batch: 8,
    weightDecay: 0,
    frozen: [...network.hidden, network.outputs].map(() => false),
    ...rule,
  };
}

/** All samples, in their order. */
export function inOrder(samples: number): Uint32Array {
  return Uint32Array.from({ length: samples }, (_, i) => i);
}

export interface Given {
  readonly network: NetworkShape;
  readonly weights: Weights;
}

/** The result of `compute` on the network as this engine has loaded it. */
export function inEngine<T>(
  engine: Engine,
  { network, weights }: Given,
  compute: (loaded: LoadedNetwork) => T,
): T {
  const loaded = engine.load(network, weights);
  try {
    return compute(loaded);
  } finally {
    loaded.dispose();
  }
}

/** @param tolerance of all numbers, or of each. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number | ArrayLike<number>,
): void {
  assertNamedClose("", { actual, expected, tolerance });
}

/** As `assertClose`; a failure says which numbers they are. */
export function assertNamedClose(name: string, compared: Compared): void {
  const { actual, expected, tolerance } = compared;
  assert.equal(actual.length, expected.length, name);
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    const tolerated = typeof tolerance === "number" ? tolerance : tolerance[i]!;
    assert.ok(
      difference <= tolerated || Object.is(actual[i], expected[i]),
      `${name}[${i}]: expected ${expected[i]} ± ${tolerated}, got ${actual[i]}`,
    );
  }
}

interface Compared {
  readonly actual: ArrayLike<number>;
  readonly expected: ArrayLike<number>;
  readonly tolerance: number | ArrayLike<number>;
}
