/** Every engine must agree with the reference in very deep, very wide and very strong networks. */
import { test } from "node:test";
import type { Activation, Weights } from "../../shared/numerics/network.ts";
import type { Engine } from "../engines/engine.ts";
import { assertAgrees } from "./agreement.ts";
import { layers, somePoints, tanhNetwork, weightsOf } from "./engine-fixtures.ts";
import { exponentTolerances, planeNumbers, planeTolerances } from "./exponent-tolerances.ts";
import type { Tolerances } from "./tolerances.ts";

/** Registers the tests of an engine's fields and exponents in extreme networks. */
export function extremesContract(engine: Engine, tolerances: Tolerances): void {
  const it = (sentence: string, body: () => void) => test(`${engine.id}: ${sentence}`, body);
  // Rounding of activations and sums has the effect of rounding the weights.
  const rounding = tolerances.stretching;

  for (const { name, hidden, activation = "tanh", gain = 1, points = 6 } of extremes) {
    const l = hidden.length;

    it(`fields of ${name} agree with the reference`, () => {
      const network = { ...tanhNetwork, activation, hidden };
      const axis = Float64Array.from({ length: points }, (_, i) => Math.fround((i - 2.5) / 3));
      assertAgrees(engine, {
        network,
        weights: weightsOf(network, { gain, thresholdVariance: 0.01 }),
        compute: (loaded) => planeNumbers(loaded.field({ x: axis, y: axis, layers: "last" })),
        tolerance: (numbers) => planeTolerances(numbers, { l, tolerances }),
        rounding,
      });
    });
  }

  for (const activation of ["tanh", "sigmoid"] as const) {
    for (const inputs of [2, 5, 30]) {
      it(`exponents behind ${activation} layers with |b| from 20 to 40 agree with the reference for ${inputs} inputs`, () => {
        const network = { ...tanhNetwork, activation, inputs, hidden: [9, 8, 7] };
        const points = somePoints(6 * inputs);
        assertAgrees(engine, {
          network,
          weights: saturated(weightsOf(network), 1),
          compute: (loaded) => ({ ...loaded.exponents(points) }),
          tolerance: (exponents) =>
            exponentTolerances(exponents, { l: 3, stretching: tolerances.stretching }),
          rounding,
        });
      });
    }
  }
}

interface Extreme {
  readonly name: string;
  readonly hidden: readonly number[];
  readonly activation?: Activation;
  /** N·σ_w². */
  readonly gain?: number;
  /** Along each axis. */
  readonly points?: number;
}

const extremes: readonly Extreme[] = [
  { name: "100 tanh layers at the edge of chaos", hidden: layers(100, 10) },
  { name: "30 relu layers", hidden: layers(30, 16), activation: "relu", gain: 2 },
  { name: "30 sigmoid layers", hidden: layers(30, 11), activation: "sigmoid", gain: 16 },
  {
    name: "30 linear layers that stretch tenfold",
    hidden: layers(30, 5),
    activation: "linear",
    gain: 100,
  },
  { name: "tanh layers of width 1", hidden: layers(5, 1), gain: 2 },
  { name: "tanh layers of width 1000", hidden: layers(2, 1000), points: 3 },
  { name: "tanh layers of mixed widths", hidden: [50, 7, 33], gain: 1.5 },
  { name: "tanh layers of strong weights", hidden: layers(6, 20), gain: 25 },
  {
    name: "sigmoid layers of strong weights",
    hidden: layers(6, 20),
    activation: "sigmoid",
    gain: 900,
  },
];

/** Biases of the layer with this index go from ±20 to ±40, signs alternating. */
function saturated(weights: Weights, index: number): Weights {
  return weights.map(({ weight, bias }, l) => {
    const far = (_: number, i: number) => {
      return Math.fround((i % 2 === 0 ? 1 : -1) * (20 + (20 * i) / (bias.length - 1)));
    };
    return { weight, bias: l === index ? Float64Array.from(bias, far) : bias };
  });
}
