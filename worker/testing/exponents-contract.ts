/** The exponents at points that every engine must find: the reference's, and those known in closed form. */
import { test } from "node:test";
import type { Engine } from "../engines/engine.ts";
import { assertAgrees } from "./agreement.ts";
import {
  activations,
  assertClose,
  diagonal,
  type Given,
  head,
  inEngine,
  layers,
  somePoints,
  tanhNetwork,
  weightsOf,
  zeros,
} from "./engine-fixtures.ts";
import { exponentTolerances } from "./exponent-tolerances.ts";
import type { Tolerances } from "./tolerances.ts";

/** Registers the tests of an engine's exponents. */
export function exponentsContract(engine: Engine, tolerances: Tolerances): void {
  const it = (sentence: string, body: () => void) => test(`${engine.id}: ${sentence}`, body);
  const { stretching } = tolerances;
  const exponentsOf = (given: Given, inputs: Float32Array) => {
    return inEngine(engine, given, (loaded) => loaded.exponents(inputs));
  };

  for (const inputs of [1, 2, 3, 20, 784]) {
    it(`exponents at points of ${inputs} inputs agree with the reference`, () => {
      for (const activation of activations) {
        const network = { ...tanhNetwork, activation, inputs, hidden: [20, 13, 20] };
        const points = somePoints(5 * inputs).map((x) => Math.fround(x / Math.sqrt(inputs)));
        assertAgrees(engine, {
          network,
          weights: weightsOf(network, { gain: 2 }),
          compute: (loaded) => ({ ...loaded.exponents(points) }),
          tolerance: (exponents) => exponentTolerances(exponents, { l: 3, stretching }),
        });
      }
    });
  }

  for (const inputs of [2, 5]) {
    for (const [depth, gain, activation] of [
      [100, 5, "tanh"],
      [100, Math.exp(-2), "tanh"],
      [400, Math.exp(2), "linear"],
      [400, Math.exp(-2), "linear"],
    ] as const) {
      it(`${depth} ${activation} layers of gain ${gain.toFixed(3)} neither overflow nor underflow for ${inputs} inputs`, () => {
        const hidden = layers(depth, inputs);
        const gains = hidden.map((_, i) => gain / 1.01 ** i).slice(0, inputs);
        const weights = [
          ...hidden.map(() =>
            diagonal(
              gains,
              gains.map(() => 0),
            ),
          ),
          head(inputs),
        ];
        const network = { ...tanhNetwork, inputs, hidden, activation };
        const origin = new Float32Array(inputs);
        const { lambda1, lambda2 } = exponentsOf({ network, weights }, origin);
        assertClose(lambda1, [Math.log(gain)], stretching);
        const ratio = 1.01 ** depth;
        assertClose(lambda2, [Math.log(gain / 1.01)], stretching * ratio);
      });
    }
  }

  it("saturated tanh layers keep their relative accuracy up to |b| = 40", () => {
    for (const inputs of [2, 3]) {
      const network = { ...tanhNetwork, inputs, hidden: layers(2, inputs) };
      const signs = Array.from({ length: inputs }, (_, i) => (i % 2 === 0 ? 1 : -1));
      const saturated = (b: number) => {
        return diagonal(
          signs.map(() => 1),
          signs.map((sign) => sign * b),
        );
      };
      const weights = [saturated(40), saturated(39), head(inputs)];
      const { lambda1, lambda2 } = exponentsOf({ network, weights }, new Float32Array(inputs));
      const expected = Math.log(4) - 80;
      assertClose([lambda1[0]!, lambda2[0]!], [expected, expected], 80 * stretching);
    }
  });

  it("exponents of many inputs are those of the singular values", () => {
    const network = { ...tanhNetwork, inputs: 7, hidden: [3, 4], activation: "linear" } as const;
    const first = { weight: new Float64Array(21), bias: new Float64Array(3) };
    first.weight.set([5, 0, 0], 0);
    first.weight.set([0, 0, 2], 7);
    first.weight.set([0, 1, 0], 14);
    const second = { weight: Float64Array.of(1, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1, 0), bias: zeros(4) };
    const given = { network, weights: [first, second, head(4)] };
    const { lambda1, lambda2 } = exponentsOf(given, new Float32Array(7).fill(0.5));
    const expected = [Math.log(5) / 2, Math.log(3) / 2];
    assertClose([lambda1[0]!, lambda2[0]!], expected, stretching);
  });
}
