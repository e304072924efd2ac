import { type Activated, activate } from "./activations.ts";
import { addProduct, rowMajor, transposed } from "./matrix-product.ts";
import { type Activation, type Float64Weights, layerWidths, type NetworkShape } from "./network.ts";

/** Samples that go through the layers together, so that a layer's weights stay in the cache. */
const BLOCK = 128;

/** Space for b, x and g'(b) of every layer l = 1 … L+1, each [samples, N_l]. */
export function layerBuffers(network: NetworkShape, samples: number): Activated[] {
  return layerWidths(network)
    .slice(1)
    .map((width) => ({
      b: new Float64Array(samples * width),
      x: new Float64Array(samples * width),
      slope: new Float64Array(samples * width),
    }));
}

/** Sends `samples` rows of `inputs` [samples, inputs] through the network, or its first `layers`, into `buffers`. */
export function forward(
  network: NetworkShape,
  weights: Float64Weights,
  pass: {
    readonly inputs: Float64Array;
    readonly samples: number;
    readonly buffers: Activated[];
    readonly layers?: number;
  },
): void {
  let below = pass.inputs;
  weights.slice(0, pass.layers).forEach((layer, l) => {
    const activated = pass.buffers[l]!;
    forwardLayer(layer, {
      inputs: below,
      samples: pass.samples,
      g: activationOf(network, l),
      activated,
    });
    below = activated.x;
  });
}

/** b = W x + bias with each sum in ascending order from the bias on, then g(b) and g'(b). */
export function forwardLayer(
  { weight, bias }: Float64Weights[number],
  pass: {
    /** [samples, in]. */
    readonly inputs: Float64Array;
    readonly samples: number;
    readonly g: Activation;
    /** Receives [samples, out] each. */
    readonly activated: Activated;
  },
): void {
  const rows = bias.length;
  const terms = weight.length / rows;
  const { b } = pass.activated;
  for (let s = 0; s < pass.samples; s++) b.set(bias, s * rows);
  addProduct(rowMajor(b, rows), rowMajor(pass.inputs, terms), transposed(rowMajor(weight, terms)), {
    rows: pass.samples,
    terms,
    columns: rows,
  });
  activate(pass.g, pass.activated, pass.samples * rows);
}

/**
 * Activations x^(l), row-major [samples, N_l], of `inputs` [samples, inputs]; l = 1 … L+1, the outputs by default.
 * @throws RangeError for another layer, and for inputs that are not whole samples.
 */
export function activations(
  network: NetworkShape,
  weights: Float64Weights,
  inputs: Float32Array | Float64Array,
  layer = weights.length,
): Float64Array {
  if (!Number.isInteger(layer) || layer < 1 || layer > weights.length) {
    throw new RangeError(`expected a layer from 1 to ${weights.length}, got ${layer}`);
  }
  const samples = inputs.length / network.inputs;
  if (!Number.isInteger(samples)) {
    throw new RangeError(
      `expected samples of ${network.inputs} inputs, got ${inputs.length} numbers`,
    );
  }
  const width = layerWidths(network)[layer]!;
  const results = new Float64Array(samples * width);
  const buffers = layerBuffers(network, BLOCK);
  const block = new Float64Array(BLOCK * network.inputs);
  for (let from = 0; from < samples; from += BLOCK) {
    const count = Math.min(BLOCK, samples - from);
    block.set(inputs.subarray(from * network.inputs, (from + count) * network.inputs));
    forward(network, weights, { inputs: block, samples: count, buffers, layers: layer });
    const { x } = buffers[layer - 1]!;
    results.set(x.subarray(0, count * width), from * width);
  }
  return results;
}

/** g of the layer with this index, 0 … L. */
export function activationOf(network: NetworkShape, index: number): Activation {
  return index < network.hidden.length ? network.activation : network.outputActivation;
}
