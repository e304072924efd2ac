/** How one sample's outputs change with its inputs, in float64. */
import { forward, layerBuffers } from "./forward.ts";
import type { Float64Weights, NetworkShape } from "./network.ts";

/** A network at one input at a time. */
export interface PointNetwork {
  /** Output activations [outputs], good until the next call. */
  outputs(input: Float64Array): Float64Array;
  /** Σ_i c_i ∂x_i/∂input [inputs] of the outputs x of the last call of `outputs`. */
  gradient(coefficients: Float64Array): Float64Array;
}

export function pointNetwork(network: NetworkShape, weights: Float64Weights): PointNetwork {
  const buffers = layerBuffers(network, 1);
  return {
    outputs(input) {
      forward(network, weights, { inputs: input, samples: 1, buffers });
      return buffers.at(-1)!.x;
    },
    gradient(coefficients) {
      let above = coefficients;
      for (let l = weights.length - 1; l >= 0; l--) {
        const { slope } = buffers[l]!;
        const { weight, bias } = weights[l]!;
        const terms = weight.length / bias.length;
        const below = new Float64Array(terms);
        for (let i = 0; i < bias.length; i++) {
          const delta = above[i]! * slope[i]!;
          for (let j = 0; j < terms; j++) below[j] = below[j]! + delta * weight[i * terms + j]!;
        }
        above = below;
      }
      return above;
    },
  };
}
