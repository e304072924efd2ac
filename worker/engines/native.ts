import { createRequire } from "node:module";
import { orthonormaliseRows } from "../../shared/numerics/lq.ts";
import {
  type Activation,
  float64Weights,
  type Layer,
  layerWidths,
  type NetworkShape,
  parameterCount,
  type Weights,
} from "../../shared/numerics/network.ts";
import { integerPower } from "../../shared/numerics/optimizers.ts";
import type {
  Loss,
  Optimizer,
  OptimizerState,
  TrainingRule,
} from "../../shared/numerics/training.ts";
import { learningRate } from "../../shared/numerics/training.ts";
import type { Engine, FieldTile, LoadedNetwork } from "./engine.ts";
import { StoppedError } from "./stopped-error.ts";

/** Changes when the bytes of any result do. */
export const NATIVE_ID = "native-f32.1";

/** Kernels in C, float32, with the widest vectors that the processor has; the same bytes with all of them. */
export function loadNative(): { readonly engine: Engine } | { readonly missing: string } {
  try {
    return { engine: nativeEngine(loadAddon()) };
  } catch (error) {
    return {
      missing: `${(error as Error).message.split("\n")[0]}; \`npm run build:native\` builds it`,
    };
  }
}

/** `native/addon.c`: what each function takes is said there, and checked. */
export interface Addon {
  /** The instruction set in use: avx512, avx2, neon or baseline. */
  readonly isa: string;
  load(widths: Uint32Array, hidden: number, output: number, parameters: Float32Array): object;
  dispose(network: object): void;
  parameters(network: object, to: Float32Array): void;
  field(
    network: object,
    x: Float32Array,
    y: Float32Array,
    isGrid: number,
    allLayers: number,
    lambda1: Float32Array | null,
    lambda2: Float32Array | null,
    direction: Float32Array | null,
    output: Float32Array | null,
    stop: Int32Array | null,
  ): boolean;
  exponents(
    network: object,
    factor: Float32Array,
    inputs: Float32Array,
    lambda1: Float32Array,
    lambda2: Float32Array,
    stop: Int32Array | null,
  ): boolean;
  activations(
    network: object,
    inputs: Float32Array,
    layer: number,
    to: Float64Array,
    stop: Int32Array | null,
  ): boolean;
  train(
    network: object,
    inputs: Float32Array,
    targets: Float32Array,
    order: Uint32Array,
    rule: Float64Array,
    frozen: Uint8Array,
    rates: Float32Array,
    corrections: Float32Array,
    moments: Float32Array,
    stats: Float64Array,
    stop: Int32Array | null,
  ): boolean;
  /** Floating-point operations a second of one thread's multiply-adds, measured for so many seconds. */
  peak(seconds: number): number;
}

/** @throws Error if it was not built, or not for this machine. */
export function loadAddon(): Addon {
  // The build lies one folder deeper than the source.
  const root = import.meta.url.endsWith(".ts") ? "../.." : "../../..";
  const folder = `${process.platform}-${process.arch}${process.env.FTLE_NATIVE_SANITIZED ? "-sanitized" : ""}`;
  return createRequire(import.meta.url)(`${root}/prebuilds/${folder}/native.node`) as Addon;
}

function nativeEngine(addon: Addon): Engine {
  return {
    id: NATIVE_ID,
    callWork: 2e9,
    details: { vectors: addon.isa },
    load: (network, weights, stop) =>
      loadedNetwork({ addon, network, weights, stop: stop ?? null }),
  };
}

interface Given {
  readonly addon: Addon;
  readonly network: NetworkShape;
  readonly weights: Weights;
  readonly stop: Int32Array | null;
}

function loadedNetwork({ addon, network, weights, stop }: Given): LoadedNetwork {
  const handle = addon.load(
    Uint32Array.from(layerWidths(network)),
    activations.indexOf(network.activation),
    activations.indexOf(network.outputActivation),
    flatParameters(network, weights),
  );
  const currentWeights = () => {
    const flat = new Float32Array(parameterCount(network));
    addon.parameters(handle, flat);
    return layersOf(network, flat);
  };
  const finish = (isWhole: boolean) => {
    if (!isWhole) throw new StoppedError("asked to stop");
  };
  /** W^(1)'s stand-in for exponents, made once for each state of the weights. */
  let factor: Float32Array | null = null;

  const activationsOf = (inputs: Float32Array, layer: number) => {
    const width = layerWidths(network)[layer] ?? 0;
    const x = new Float64Array(Math.floor(inputs.length / network.inputs) * width);
    finish(addon.activations(handle, inputs, layer, x, stop));
    return x;
  };

  return {
    train(set, order, rule, state) {
      if (set.inputs.length !== set.samples * network.inputs) {
        // The rest is checked against it in C.
        throw new RangeError(
          `expected inputs of ${set.samples} samples, got ${set.inputs.length} numbers`,
        );
      }
      factor = null;
      const moments = flatMoments(network, state);
      const stats = new Float64Array(2);
      const isWhole = addon.train(
        handle,
        set.inputs,
        set.targets,
        order,
        ruleNumbers(rule),
        Uint8Array.from(rule.frozen, Number),
        learningRates(rule, state.step, order.length),
        biasCorrections(rule, state.step, order.length),
        moments,
        stats,
        stop,
      );
      finish(isWhole);
      state.step += Math.ceil(order.length / rule.batch);
      writeMoments(network, state, moments);
      return { lossSum: stats[0]!, correct: stats[1]!, samples: order.length };
    },
    outputs: (inputs) => activationsOf(inputs, network.hidden.length + 1),
    activations: activationsOf,
    field({ x, y, layers }) {
      const size = x.length * y.length;
      const slices = layers === "all" ? network.hidden.length : 1;
      const tile: FieldTile = {
        lambda1: new Float32Array(slices * size),
        lambda2: new Float32Array(slices * size),
        direction: new Float32Array(slices * size),
        output: new Float32Array(size),
      };
      const { lambda1, lambda2, direction, output } = tile;
      const [xs, ys] = [Float32Array.from(x), Float32Array.from(y)];
      const all = Number(layers === "all");
      finish(addon.field(handle, xs, ys, 1, all, lambda1, lambda2, direction, output, stop));
      return tile;
    },
    exponents(inputs) {
      const count = Math.floor(inputs.length / network.inputs);
      const lambda1 = new Float32Array(count);
      const lambda2 = new Float32Array(count);
      if (network.inputs === 2 && inputs.length === 2 * count) {
        const [x, y] = [0, 1].map((at) =>
          Float32Array.from(lambda1, (_, i) => inputs[2 * i + at]!),
        );
        finish(addon.field(handle, x!, y!, 0, 0, lambda1, lambda2, null, null, stop));
      } else {
        factor ??= firstFactor(network, currentWeights());
        finish(addon.exponents(handle, factor, inputs, lambda1, lambda2, stop));
      }
      return { lambda1: Float64Array.from(lambda1), lambda2: Float64Array.from(lambda2) };
    },
    weights: currentWeights,
    dispose: () => addon.dispose(handle),
  };
}

/** In the order of the numbers in `native/elementary.h` and `native/kernel.h`. */
const activations: readonly Activation[] = ["tanh", "relu", "sigmoid", "linear"];
const losses: readonly Loss[] = ["squared-error", "softmax-cross-entropy", "binary-cross-entropy"];

/** Loss, optimiser, batch, weight decay, decay 1, decay 2, ε: as `train` in `addon.c` takes them. */
function ruleNumbers({ loss, optimizer, batch, weightDecay }: TrainingRule): Float64Array {
  return Float64Array.of(
    losses.indexOf(loss),
    ...optimizerNumbers(optimizer, { batch, weightDecay }),
  );
}

function optimizerNumbers(
  optimizer: Optimizer,
  { batch, weightDecay }: { batch: number; weightDecay: number },
): number[] {
  const numbers = (index: number, ...rest: [number, number, number]) => {
    return [index, batch, weightDecay, ...rest];
  };
  switch (optimizer.name) {
    case "sgd":
      return numbers(0, optimizer.momentum, 0, 0);
    case "adam":
      return numbers(1, optimizer.beta1, optimizer.beta2, optimizer.epsilon);
    case "rmsprop":
      return numbers(2, optimizer.decay, 0, optimizer.epsilon);
  }
}

/** The learning rate of each step to come. */
function learningRates(rule: TrainingRule, step: number, samples: number): Float32Array {
  return Float32Array.from({ length: Math.ceil(samples / rule.batch) }, (_, i) =>
    learningRate(rule, step + i),
  );
}

/** Adam's 1 − β₁ᵗ and 1 − β₂ᵗ of each step t to come; nothing for the others. */
function biasCorrections(
  { optimizer, batch }: TrainingRule,
  step: number,
  samples: number,
): Float32Array {
  if (optimizer.name !== "adam") return new Float32Array(0);
  const { beta1, beta2 } = optimizer;
  return Float32Array.from({ length: 2 * Math.ceil(samples / batch) }, (_, i) => {
    return 1 - integerPower(i % 2 === 0 ? beta1 : beta2, step + 1 + Math.floor(i / 2));
  });
}

/** For each layer its weights, row by row, then its biases. */
function flatParameters(network: NetworkShape, weights: Weights): Float32Array {
  const flat = new Float32Array(parameterCount(network));
  let at = 0;
  for (const { weight, bias } of float64Weights(network, weights)) {
    flat.set(weight, at);
    flat.set(bias, at + weight.length);
    at += weight.length + bias.length;
  }
  return flat;
}

function layersOf(network: NetworkShape, flat: Float32Array): Layer[] {
  const widths = layerWidths(network);
  let at = 0;
  return widths.slice(1).map((rows, below) => {
    const weight = flat.slice(at, at + rows * widths[below]!);
    const bias = flat.slice(at + weight.length, at + weight.length + rows);
    at += weight.length + rows;
    return { weight, bias };
  });
}

/** The moments one after another, each in the order of the parameters. */
function flatMoments(network: NetworkShape, { moments }: OptimizerState): Float32Array {
  const count = parameterCount(network);
  const flat = new Float32Array((moments[0]?.weight.length ?? 0) * count);
  eachMoment(moments, count, (array, at) => flat.set(array, at));
  return flat;
}

function writeMoments(
  network: NetworkShape,
  { moments }: OptimizerState,
  flat: Float32Array,
): void {
  eachMoment(moments, parameterCount(network), (array, at) => {
    array.set(flat.subarray(at, at + array.length));
  });
}

function eachMoment(
  layers: OptimizerState["moments"],
  count: number,
  visit: (array: Float32Array | Float64Array, at: number) => void,
): void {
  let at = 0;
  for (const { weight, bias } of layers) {
    weight.forEach((array, m) => {
      visit(array, m * count + at);
      visit(bias[m]!, m * count + at + array.length);
    });
    at += (weight[0]?.length ?? 0) + (bias[0]?.length ?? 0);
  }
}

/**
 * R of W^(1) = R·Q with orthonormal rows Q where there are more inputs than neurons, else W^(1) itself: behind
 * any product both have the same singular values, so that a point's cost does not depend on N_0.
 */
function firstFactor(network: NetworkShape, weights: Weights): Float32Array {
  const weight = Float64Array.from(weights[0]!.weight);
  const rows = network.hidden[0]!;
  if (network.inputs <= rows) return Float32Array.from(weight);
  return Float32Array.from(orthonormaliseRows(weight, rows, network.inputs));
}
