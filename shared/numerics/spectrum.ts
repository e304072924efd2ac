import { log } from "./elementary.ts";
import { jacobian } from "./jacobian.ts";
import { orthonormaliseRows } from "./lq.ts";
import type { Float64Weights, NetworkShape } from "./network.ts";
import { svd } from "./svd.ts";

/**
 * All exponents λ_i = (1/L) ln σ_i(J_L(x)), natural logarithm, for any number of inputs.
 *
 * The returned function takes x [N_0] and gives min(N_0, N_L) values, descending. −∞: fewer singular
 * values can differ from 0, because some layer is narrower or J = 0. All are NaN if J is not finite.
 * σ_i below 10⁻¹⁵ σ_1 are lost in rounding.
 */
export function lyapunovSpectrum(
  network: NetworkShape,
  weights: Float64Weights,
): (input: Float64Array) => Float64Array {
  const depth = network.hidden.length;
  const count = Math.min(network.inputs, network.hidden.at(-1)!);
  const rank = Math.min(network.inputs, ...network.hidden);
  const firstWeight = compressedFirstWeight(network, weights);
  return (input) => {
    const J = jacobian(network, weights, input, firstWeight);
    const { s } = svd(J.values, J.rows, J.cols);
    const isKnown = input.every(Number.isFinite) && Number.isFinite(s[0]!);
    return Float64Array.from({ length: count }, (_, i) => {
      if (!isKnown) return Number.NaN;
      return i < rank ? (log(s[i]!) + J.exponent * Math.LN2) / depth : Number.NEGATIVE_INFINITY;
    });
  };
}

/**
 * W^(1) = R·Q with orthonormal rows Q can be replaced by R in any product without changing singular values, so
 * that the cost of a point does not depend on N_0 where N_0 > N_1.
 */
function compressedFirstWeight(network: NetworkShape, weights: Float64Weights): Float64Array {
  const { weight } = weights[0]!;
  const rows = network.hidden[0]!;
  return network.inputs > rows ? orthonormaliseRows(weight.slice(), rows, network.inputs) : weight;
}
