import { activationOf } from "../../../shared/numerics/forward.ts";
import {
  float64Weights,
  type Layer,
  layerWidths,
  type NetworkShape,
  type Weights,
} from "../../../shared/numerics/network.ts";
import { StoppedError } from "../stopped-error.ts";
import { activate } from "./activations.ts";
import type { Tensor, TensorFlow } from "./tensorflow.ts";

/** A network whose parameters are tensors; activations are [samples, N_l]. */
export interface TensorNetwork {
  readonly tf: TensorFlow;
  readonly shape: NetworkShape;
  /** l = 1 … L+1. */
  readonly layers: readonly LayerTensors[];
  /** Asks for a stop once its first number is not 0. */
  readonly stop: Int32Array | null;
}

export interface LayerTensors {
  /** W^(l), [N_l, N_{l−1}]. */
  readonly weight: Tensor;
  /** [1, N_l]. */
  readonly bias: Tensor;
}

/** @throws RangeError if the weights do not have the network's shape. */
export function layerTensors(
  tf: TensorFlow,
  network: NetworkShape,
  weights: Weights,
): LayerTensors[] {
  const widths = layerWidths(network);
  return float64Weights(network, weights).map(({ weight, bias }, below) => ({
    weight: tf.tensor2d(Float32Array.from(weight), [bias.length, widths[below]!]),
    bias: tf.tensor2d(Float32Array.from(bias), [1, bias.length]),
  }));
}

/** A copy of the parameters. */
export function weightsOf({ layers }: TensorNetwork): Layer[] {
  // A tensor that no operation has used yet hands out the array that it was made from.
  const values = (tensor: Tensor) => tensor.dataSync().slice();
  return layers.map(({ weight, bias }) => ({ weight: values(weight), bias: values(bias) }));
}

export function tensorsOf(layers: readonly LayerTensors[]): Tensor[] {
  return layers.flatMap(({ weight, bias }) => [weight, bias]);
}

/** b = x W^T + bias. */
export function localFields(tf: TensorFlow, { weight, bias }: LayerTensors, x: Tensor): Tensor {
  return tf.add(tf.matMul(x, weight, false, true), bias);
}

/** @throws StoppedError if the network was asked to. */
export function throwIfStopped({ stop }: TensorNetwork): void {
  if (stop !== null && Atomics.load(stop, 0) !== 0) throw new StoppedError("asked to stop");
}

/**
 * Activations x^(l), row-major [samples, N_l]; l = 1 … L+1.
 * @throws RangeError for another layer, and for inputs that are not whole samples.
 */
export function activations(net: TensorNetwork, inputs: Float32Array, layer: number): Float64Array {
  const { shape, layers } = net;
  if (!Number.isInteger(layer) || layer < 1 || layer > layers.length) {
    throw new RangeError(`expected a layer from 1 to ${layers.length}, got ${layer}`);
  }
  const width = layerWidths(shape)[layer]!;
  const result = new Float64Array(sampleCount(net, inputs) * width);
  inBlocks(net, { inputs, tensorsAPoint: 1 }, ({ x, from, count }) => {
    let reached = x;
    for (let index = 0; index < layer; index++) reached = nextLayer(net, index, reached);
    result.set(reached.dataSync().subarray(0, count * width), from * width);
  });
  return result;
}

/** x of the layer with this index, 0 … L, from the activations below, of which it disposes. */
function nextLayer({ tf, shape, layers }: TensorNetwork, index: number, below: Tensor): Tensor {
  const x = tf.tidy(() =>
    activate(tf, activationOf(shape, index), localFields(tf, layers[index]!, below)),
  );
  below.dispose();
  return x;
}

/** @throws RangeError if the inputs are not whole samples. */
export function sampleCount({ shape }: TensorNetwork, inputs: Float32Array): number {
  const count = inputs.length / shape.inputs;
  if (Number.isInteger(count)) return count;
  throw new RangeError(`expected samples of ${shape.inputs} inputs, got ${inputs.length} numbers`);
}

/** Numbers in a tensor over a block: so many that a call's own cost of 10 µs does not count. Measured. */
const BLOCK_NUMBERS = 2 ** 17;

/**
 * A block's points are a multiple of this. The library's vectors then never end within a tensor, and a row's
 * bytes depend neither on its place nor on the number of rows (tried: from 8 on, with AVX).
 */
const ROW_GROUP = 64;

export interface Block {
  /** Inputs of the points, and of a few more to fill the block; [rows, N_0]. */
  readonly x: Tensor;
  readonly rows: number;
  /** The first point. */
  readonly from: number;
  readonly count: number;
}

/** Visits all points, block by block, each in a `tidy` of its own. */
export function inBlocks(
  net: TensorNetwork,
  points: {
    /** [points, N_0]. */
    readonly inputs: Float32Array;
    /** How many vectors of a layer's width a point has at the same time. */
    readonly tensorsAPoint: number;
  },
  visit: (block: Block) => void,
): void {
  const { tf, shape } = net;
  const { inputs, tensorsAPoint } = points;
  const N0 = shape.inputs;
  const total = sampleCount(net, inputs);
  const widest = Math.max(...layerWidths(shape)) * tensorsAPoint;
  const most = wholeGroups(Math.min(8192, BLOCK_NUMBERS / widest));
  for (let from = 0; from < total; from += most) {
    throwIfStopped(net);
    const count = Math.min(most, total - from);
    const rows = wholeGroups(count);
    const block = new Float32Array(rows * N0);
    block.set(inputs.subarray(from * N0, (from + count) * N0));
    tf.tidy(() => visit({ x: tf.tensor2d(block, [rows, N0]), rows, from, count }));
  }
}

function wholeGroups(rows: number): number {
  return ROW_GROUP * Math.ceil(rows / ROW_GROUP);
}
