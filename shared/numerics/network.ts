/** What a fully connected network is: its shape, its weights, and the scale of its initial weights. */

export type Activation = "tanh" | "relu" | "sigmoid" | "linear";

export type FloatArray = Float32Array | Float64Array;

/**
 * A fully connected network x^(l) = g(W^(l) x^(l−1) − θ^(l)), l = 1…L+1 (Storm et al., PRL 132, 057301).
 *
 * Layer l has `hidden[l − 1]` neurons for l ≤ L; layer L + 1 is the output layer.
 */
export interface NetworkShape {
  /** Input dimension N_0, ≥ 1. */
  readonly inputs: number;
  /** Widths of the hidden layers, each ≥ 1; its length is the depth L ≥ 1. */
  readonly hidden: readonly number[];
  /** Number of output neurons, ≥ 1. */
  readonly outputs: number;
  /** g of every hidden layer. */
  readonly activation: Activation;
  /** g of the output layer. */
  readonly outputActivation: Activation;
}

/** One layer's parameters. */
export interface Layer {
  /** W, row-major [out, in]. */
  readonly weight: FloatArray;
  /** −θ, [out]: the minus sign of the paper's thresholds is in the stored bias. */
  readonly bias: FloatArray;
}

/** L + 1 layers, from the first hidden layer to the output layer. */
export type Weights = readonly Layer[];

/** Layer widths N_0, N_1, …, N_{L+1}. */
export function layerWidths(network: NetworkShape): number[] {
  return [network.inputs, ...network.hidden, network.outputs];
}

/** Weights in float64, which the numerics of this folder use. */
export type Float64Weights = readonly {
  readonly weight: Float64Array;
  readonly bias: Float64Array;
}[];

/**
 * A float64 copy of the weights.
 * @throws RangeError if they do not have the network's shape.
 */
export function float64Weights(network: NetworkShape, weights: Weights): Float64Weights {
  const widths = layerWidths(network);
  const layers = widths.length - 1;
  if (weights.length !== layers) {
    throw new RangeError(`expected ${layers} layers of weights, got ${weights.length}`);
  }
  return weights.map(({ weight, bias }, below) => {
    const rows = widths[below + 1]!;
    const cols = widths[below]!;
    if (weight.length !== rows * cols || bias.length !== rows) {
      throw new RangeError(
        `expected layer ${below + 1} to have ${rows} × ${cols} weights and ${rows} biases, ` +
          `got ${weight.length} and ${bias.length}`,
      );
    }
    return { weight: Float64Array.from(weight), bias: Float64Array.from(bias) };
  });
}

/** Number of weights and biases. */
export function parameterCount(network: NetworkShape): number {
  const widths = layerWidths(network);
  let count = 0;
  for (let l = 1; l < widths.length; l++) count += widths[l]! * (widths[l - 1]! + 1);
  return count;
}
