import { trainer } from "../../shared/numerics/backpropagation.ts";
import { activations } from "../../shared/numerics/forward.ts";
import {
  type Float64Weights,
  float64Weights,
  type NetworkShape,
} from "../../shared/numerics/network.ts";
import { planeExponents } from "../../shared/numerics/plane-exponents.ts";
import { lyapunovSpectrum } from "../../shared/numerics/spectrum.ts";
import type { Engine, FieldTile, GridTile, LoadedNetwork, PointExponents } from "./engine.ts";

/**
 * The definition that other engines are compared with: float64, plain loops, and the same bytes on every
 * machine and Node version.
 */
export const referenceEngine: Engine = {
  id: "reference-f64.1",
  callWork: 2e7,
  load: (network, weights) => loadedNetwork(network, float64Weights(network, weights)),
};

function loadedNetwork(network: NetworkShape, weights: Float64Weights): LoadedNetwork {
  const train = trainer(network, weights);
  return {
    train: (set, order, rule, state) => train({ set, order, rule, state }),
    outputs: (inputs) => activations(network, weights, inputs),
    activations: (inputs, layer) => activations(network, weights, inputs, layer),
    field: (tile) => field(network, weights, tile),
    exponents: (inputs) =>
      network.inputs === 2
        ? exponentsInPlane(network, weights, inputs)
        : exponentsBySvd(network, weights, inputs),
    weights: () =>
      weights.map(({ weight, bias }) => ({ weight: weight.slice(), bias: bias.slice() })),
    dispose() {},
  };
}

function field(network: NetworkShape, weights: Float64Weights, tile: GridTile): FieldTile {
  const at = planeExponents(network, weights);
  const depth = network.hidden.length;
  const layers = tile.layers === "all" ? depth : 1;
  const size = tile.x.length * tile.y.length;
  const result = {
    lambda1: new Float32Array(layers * size),
    lambda2: new Float32Array(layers * size),
    direction: new Float32Array(layers * size),
    output: new Float32Array(size),
  };
  let point = 0;
  for (const y of tile.y) {
    for (const x of tile.x) {
      at.moveTo(x, y, tile.layers);
      for (let slice = 0; slice < layers; slice++) {
        const l = depth - layers + slice;
        result.lambda1[slice * size + point] = at.lambda1[l]!;
        result.lambda2[slice * size + point] = at.lambda2[l]!;
        result.direction[slice * size + point] = at.direction[l]!;
      }
      const output = at.output();
      result.output[point] = Number.isFinite(output) ? output : Number.NaN;
      point++;
    }
  }
  return result;
}

function exponentsInPlane(
  network: NetworkShape,
  weights: Float64Weights,
  inputs: Float32Array,
): PointExponents {
  const at = planeExponents(network, weights);
  const count = wholePoints(network, inputs);
  const lambda1 = new Float64Array(count);
  const lambda2 = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    at.moveTo(inputs[2 * i]!, inputs[2 * i + 1]!, "last");
    lambda1[i] = at.lambda1.at(-1)!;
    lambda2[i] = at.lambda2.at(-1)!;
  }
  return { lambda1, lambda2 };
}

function exponentsBySvd(
  network: NetworkShape,
  weights: Float64Weights,
  inputs: Float32Array,
): PointExponents {
  const spectrum = lyapunovSpectrum(network, weights);
  const N0 = network.inputs;
  const count = wholePoints(network, inputs);
  const lambda1 = new Float64Array(count);
  const lambda2 = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const lambda = spectrum(Float64Array.from(inputs.subarray(i * N0, (i + 1) * N0)));
    const isStretched = Number.isFinite(lambda[0]!);
    lambda1[i] = isStretched ? lambda[0]! : Number.NaN;
    lambda2[i] = isStretched ? (lambda[1] ?? Number.NEGATIVE_INFINITY) : Number.NaN;
  }
  return { lambda1, lambda2 };
}

/** @throws RangeError if the inputs are not those of a whole number of points. */
function wholePoints({ inputs: N0 }: NetworkShape, inputs: Float32Array): number {
  if (inputs.length % N0 === 0) return inputs.length / N0;
  throw new RangeError(`expected points of ${N0} inputs, got ${inputs.length} numbers`);
}
