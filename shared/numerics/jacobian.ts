import { binaryExponent, powerOfTwo } from "./float64-bits.ts";
import { forwardLayer, layerBuffers } from "./forward.ts";
import { addProduct, rowMajor } from "./matrix-product.ts";
import type { Float64Weights, NetworkShape } from "./network.ts";
import { largest } from "./vectors.ts";

/** The matrix 2^exponent · values, row-major [rows, cols]: the power of two keeps products of many layers in range. */
export interface ScaledMatrix {
  readonly values: Float64Array;
  readonly rows: number;
  readonly cols: number;
  readonly exponent: number;
}

/**
 * J_L(x) = D^(L)W^(L) … D^(1)W^(1) [N_L, N_0] with D^(l) = diag(g'(b^(l))), at `input` [N_0]: how the
 * last hidden layer changes with the input. The output layer is not part of it.
 *
 * `firstWeight` [N_1, n] replaces the last factor W^(1) of the product, and only there.
 */
export function jacobian(
  network: NetworkShape,
  weights: Float64Weights,
  input: Float64Array,
  firstWeight = weights[0]!.weight,
): ScaledMatrix {
  const buffers = layerBuffers(network, 1);
  const cols = firstWeight.length / network.hidden[0]!;
  let J = firstWeight;
  let exponent = 0;
  let below = input;
  network.hidden.forEach((rows, l) => {
    const activated = buffers[l]!;
    forwardLayer(weights[l]!, { inputs: below, samples: 1, g: network.activation, activated });
    J =
      l === 0
        ? J.slice()
        : product(weights[l]!.weight, J, { rows, terms: below.length, columns: cols });
    for (let i = 0; i < J.length; i++) J[i] = J[i]! * activated.slope[Math.floor(i / cols)]!;
    exponent += rescale(J);
    below = activated.x;
  });
  return { values: J, rows: below.length, cols, exponent };
}

function product(
  a: Float64Array,
  b: Float64Array,
  size: { rows: number; terms: number; columns: number },
): Float64Array {
  const c = new Float64Array(size.rows * size.columns);
  addProduct(rowMajor(c, size.columns), rowMajor(a, size.terms), rowMajor(b, size.columns), size);
  return c;
}

/** Brings the largest |value| into [1, 2) by a power of two, whose exponent it returns. */
function rescale(values: Float64Array): number {
  const exponent = binaryExponent(largest(values));
  if (exponent > 1023 || exponent === -1023) return 0;
  const down = powerOfTwo(-exponent);
  for (let i = 0; i < values.length; i++) values[i] = values[i]! * down;
  return exponent;
}
