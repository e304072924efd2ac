/** How much work a task is, in estimated floating-point operations. */
import type { FieldGrid } from "./cell.ts";
import type { NetworkShape } from "./numerics/network.ts";
import { layerWidths, parameterCount } from "./numerics/network.ts";

/**
 * The cost of one activation and its derivative relative to a multiplication and an addition; measured with
 * the reference engine. It matters below N ≈ 20.
 */
const ACTIVATION_FLOPS = 40;

/**
 * Forward, backward and gradient are each 2·(weights) operations per sample; the evaluation of the test
 * split after each epoch is one forward pass.
 */
export function trainingWork(
  network: NetworkShape,
  epochs: number,
  samples: { readonly train: number; readonly test: number },
): number {
  const forward = forwardWork(network);
  return epochs * (3 * forward * samples.train + forward * samples.test);
}

/** Value and two tangents through each layer: 6·N_l·N_{l−1} operations per point and layer. */
export function fieldWork(network: NetworkShape, points: number): number {
  return 3 * forwardWork(network) * points;
}

/**
 * Over a plane in more inputs: the field of the network as a function of the plane, and the whole Jacobian, whose
 * columns are as many as the inputs or the first layer's neurons. Independent of the input dimension beyond that.
 */
export function planeWork(network: NetworkShape, points: number): number {
  const columns = Math.min(network.inputs, network.hidden[0]!);
  const seen = { ...network, inputs: columns };
  return (3 * forwardWork({ ...network, inputs: 2 }) + (1 + columns) * forwardWork(seen)) * points;
}

/** Of so many points of a grid. */
export function gridWork(
  network: NetworkShape,
  { plane }: Pick<FieldGrid, "plane">,
  points: number,
): number {
  return plane === undefined ? fieldWork(network, points) : planeWork(network, points);
}

function forwardWork(network: NetworkShape): number {
  const neurons = layerWidths(network).reduce((a, b) => a + b, 0) - network.inputs;
  return 2 * parameterCount(network) + ACTIVATION_FLOPS * neurons;
}
