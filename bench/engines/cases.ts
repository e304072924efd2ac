/** What is measured: networks, grids and samples, given to every contestant in the same files. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defaultOptions } from "../../shared/datasets/data-set.ts";
import { dataSet, makeDataSet } from "../../shared/datasets/registry.ts";
import { gridCoordinates } from "../../shared/numerics/grid.ts";
import { initialWeights } from "../../shared/numerics/initialise.ts";
import type { NetworkShape, Weights } from "../../shared/numerics/network.ts";
import { layerWidths } from "../../shared/numerics/network.ts";
import { createOptimizerState } from "../../shared/numerics/optimizers.ts";
import { permutation } from "../../shared/numerics/permutation.ts";
import { randomStream } from "../../shared/numerics/random-stream.ts";
import type { TrainingRule, TrainingSet } from "../../shared/numerics/training.ts";
import { encodeWeights } from "../../shared/safetensors.ts";
import type { LoadedNetwork } from "../../worker/engines/engine.ts";
import { referenceEngine } from "../../worker/engines/reference.ts";

/** The square of the standardised circle data. */
export const HALF_WIDTH = Math.sqrt(3);

interface Common {
  /** E.g. `N = 50, L = 8`. */
  readonly name: string;
  readonly network: NetworkShape;
  /** Path of the weights' safetensors file, float32. */
  readonly weights: string;
  /** Work of a unit: a grid point or a step. */
  readonly flops: number;
  /** Whether peers take part, too. */
  readonly peers: boolean;
}

/** λ₁ on points × points of the square [−halfWidth, halfWidth]². */
export interface FieldCase extends Common {
  readonly kind: "field";
  readonly points: number;
  readonly halfWidth: number;
  /** Every so-many-th column and row is compared. */
  readonly every: number;
  /** Sizes of chunks that experts try. */
  readonly chunks: readonly number[];
}

/** Plain SGD on the circle data, squared error. */
export interface TrainingCase extends Common {
  readonly kind: "training";
  /** Paths: float32 [samples, 2], float32 [samples], uint32 [samples]. */
  readonly inputs: string;
  readonly targets: string;
  readonly order: string;
  readonly batch: number;
  readonly learningRate: number;
  /** The losses of so many first steps are compared. */
  readonly checkSteps: number;
}

export type Case = FieldCase | TrainingCase;

/** Fields of L = 8 as in the goals, with peers, and some more without. */
export function fieldCases(folder: string, { quick }: { quick: boolean }): FieldCase[] {
  const fields = (width: number, depth: number, peers: boolean): FieldCase => {
    const network = tanhNetwork(width, depth);
    const points = quick ? 256 : 512;
    return {
      kind: "field",
      name: `N = ${width}, L = ${depth}`,
      network,
      weights: writeWeights(folder, network),
      flops: 6 * ((depth - 1) * width ** 2 + 2 * width),
      peers,
      points,
      halfWidth: HALF_WIDTH,
      every: points / 32,
      chunks: quick ? [1024] : width < 200 ? [512, 1024, 2048, 4096] : [512, 1024],
    };
  };
  if (quick) return [fields(10, 8, true), fields(50, 8, true)];
  return [
    ...[10, 50, 200].map((width) => fields(width, 8, true)),
    ...[10, 50, 200].map((width) => fields(width, 2, false)),
    fields(250, 12, false),
  ];
}

/** Trainings as in the goals, with peers, and some more without. */
export function trainingCases(folder: string, { quick }: { quick: boolean }): TrainingCase[] {
  const files = writeSamples(folder);
  const training = (width: number, depth: number, batch: number): TrainingCase => {
    const network = tanhNetwork(width, depth);
    const weights = (depth - 1) * width ** 2 + 3 * width;
    return {
      kind: "training",
      name: `N = ${width}, L = ${depth}, batch ${batch}`,
      network,
      weights: writeWeights(folder, network),
      flops: 6 * weights * batch,
      peers: true,
      ...files,
      batch,
      learningRate: 0.05,
      checkSteps: 10,
    };
  };
  if (quick) return [training(50, 8, 20)];
  const withPeers = [
    training(10, 12, 20),
    training(50, 8, 20),
    training(50, 8, 128),
    training(250, 12, 128),
  ];
  const alone = [
    training(10, 2, 128),
    training(10, 12, 128),
    training(50, 2, 128),
    training(250, 2, 128),
  ];
  return [...withPeers, ...alone.map((one) => ({ ...one, peers: false }))];
}

/** 2 → N × L → 1, tanh throughout: the letter's networks. */
export function tanhNetwork(width: number, depth: number): NetworkShape {
  const hidden = Array.from({ length: depth }, () => width);
  return { inputs: 2, hidden, outputs: 1, activation: "tanh", outputActivation: "tanh" };
}

/** Random weights as float32 holds them, so that all engines start from the same ones. */
export function float32Weights(network: NetworkShape, gain: number, seed: number): Weights {
  const scale = { weightVariance: gain / network.hidden[0]!, thresholdVariance: 0 };
  return initialWeights(network, scale, [seed, 0]).map(({ weight, bias }) => ({
    weight: Float32Array.from(weight),
    bias: Float32Array.from(bias),
  }));
}

/** λ₁ at the points that are compared. */
export function checkedField(loaded: LoadedNetwork, given: FieldCase): number[] {
  const { points, halfWidth, every } = given;
  const all = gridCoordinates([-halfWidth, halfWidth], points);
  const some = all.filter((_, i) => i % every === 0);
  return [...loaded.field({ x: some, y: some, layers: "last" }).lambda1];
}

/** The mean losses of the first steps. */
export function checkedTraining(
  loaded: LoadedNetwork,
  given: TrainingCase,
  { set, order }: { set: TrainingSet; order: Uint32Array },
): number[] {
  const { network, batch, checkSteps } = given;
  const rule = trainingRule(given);
  const state = createOptimizerState(rule.optimizer, network);
  return Array.from({ length: checkSteps }, (_, step) => {
    const samples = order.subarray(step * batch, (step + 1) * batch);
    return loaded.train(set, samples, rule, state).lossSum / batch;
  });
}

/** The results of the float64 definition, with which every contestant is compared. */
export function expectedOf(given: Case): number[] {
  const loaded = referenceEngine.load(given.network, float32Weights(given.network, 1, 1));
  return given.kind === "field"
    ? checkedField(loaded, given)
    : checkedTraining(loaded, given, samples());
}

export function trainingRule({ network, batch, learningRate }: TrainingCase): TrainingRule {
  return {
    loss: "squared-error",
    optimizer: { name: "sgd", learningRate, momentum: 0 },
    batch,
    weightDecay: 0,
    frozen: layerWidths(network)
      .slice(1)
      .map(() => false),
  };
}

/** The circle's training split, and an order of its samples. */
export function samples(): { set: TrainingSet; order: Uint32Array } {
  const set = makeDataSet("circle", defaultOptions(dataSet("circle"))).train;
  return { set, order: permutation(set.samples, randomStream([1, 0], "order", 1)) };
}

function writeWeights(folder: string, network: NetworkShape): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${network.hidden.join("-")}.safetensors`);
  writeFileSync(path, encodeWeights(float32Weights(network, 1, 1), {}));
  return path;
}

function writeSamples(folder: string) {
  mkdirSync(folder, { recursive: true });
  const { set, order } = samples();
  const write = (name: string, values: Float32Array | Uint32Array) => {
    const path = join(folder, name);
    writeFileSync(path, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return path;
  };
  return {
    inputs: write("inputs.f32", set.inputs),
    targets: write("targets.f32", set.targets),
    order: write("order.u32", order),
  };
}
