/** Every engine must compute the points of one call independently of each other, and refuse an incomplete point. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../engines/engine.ts";
import {
  activations,
  type Given,
  inEngine,
  somePoints,
  tanhNetwork,
  weightsOf,
} from "./engine-fixtures.ts";

/** Registers the tests of how an engine's exponents depend on the call's points. */
export function exponentsPointsContract(engine: Engine): void {
  const it = (sentence: string, body: () => void) => test(`${engine.id}: ${sentence}`, body);
  const exponentsOf = (given: Given, inputs: Float32Array) => {
    return inEngine(engine, given, (loaded) => loaded.exponents(inputs));
  };

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
