/** What every engine must do in exponents at points. */
import assert from "node:assert/strict";
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

  it("one input has one exponent", () => {
    const network = { ...tanhNetwork, inputs: 1, hidden: [2] };
    const first = { weight: Float64Array.of(3, 4), bias: Float64Array.of(0, 0) };
    const given = { network, weights: [first, head(2)] };
    const { lambda1, lambda2 } = exponentsOf(given, new Float32Array(1));
    assertClose(lambda1, [Math.log(5)], stretching);
    assert.deepEqual(Array.from(lambda2), [Number.NEGATIVE_INFINITY]);
  });

  it("a bottleneck of one neuron leaves one exponent, for any number of inputs", () => {
    for (const inputs of [2, 5, 40]) {
      const network = { ...tanhNetwork, inputs, hidden: [20, 1, 20] };
      const given = { network, weights: weightsOf(network) };
      const { lambda1, lambda2 } = exponentsOf(given, somePoints(3 * inputs));
      assert.ok(lambda1.every(Number.isFinite));
      assert.ok(lambda2.every((value) => value === Number.NEGATIVE_INFINITY));
    }
  });

  it("a Jacobian of zero has NaN for its exponents, for any number of inputs", () => {
    for (const inputs of [1, 2, 5, 40]) {
      const network = { ...tanhNetwork, inputs, hidden: [20, 6] };
      const weights = weightsOf(network);
      weights[1]!.weight.fill(0);
      const { lambda1, lambda2 } = exponentsOf({ network, weights }, somePoints(3 * inputs));
      assert.ok([...lambda1, ...lambda2].every(Number.isNaN));
    }
  });

  it("points that are not finite have NaN, and the others keep their bytes", () => {
    for (const inputs of [1, 2, 6]) {
      for (const activation of activations) {
        const network = { ...tanhNetwork, activation, inputs, hidden: [9, 8] };
        const given = { network, weights: weightsOf(network) };
        const points = somePoints(inputs * 20);
        const before = exponentsOf(given, points);
        points[inputs * 3] = Number.NaN;
        points[inputs * 5 + inputs - 1] = Number.POSITIVE_INFINITY;
        points[inputs * 6] = Number.NEGATIVE_INFINITY;
        const after = exponentsOf(given, points);
        for (const name of ["lambda1", "lambda2"] as const) {
          const expected = Array.from(before[name], (value, i) =>
            [3, 5, 6].includes(i) ? Number.NaN : value,
          );
          assert.deepEqual(Array.from(after[name]), expected, name);
        }
      }
    }
  });

  it("a point's exponents are the same bytes alone and among others", () => {
    for (const inputs of [2, 6]) {
      const network = { ...tanhNetwork, inputs, hidden: [9, 8] };
      const given = { network, weights: weightsOf(network) };
      const points = somePoints(inputs * 150);
      const whole = exponentsOf(given, points);
      for (const [from, to] of [
        [0, 1],
        [17, 32],
        [20, 149],
        [149, 150],
      ] as const) {
        const part = exponentsOf(given, points.subarray(inputs * from, inputs * to));
        assert.deepEqual(part.lambda1, whole.lambda1.slice(from, to));
        assert.deepEqual(part.lambda2, whole.lambda2.slice(from, to));
      }
    }
  });

  it("inputs that are not those of whole points throw RangeError", () => {
    for (const inputs of [2, 6]) {
      const network = { ...tanhNetwork, inputs };
      const given = { network, weights: weightsOf(network) };
      assert.throws(() => exponentsOf(given, somePoints(3 * inputs - 1)), RangeError);
    }
  });
}
