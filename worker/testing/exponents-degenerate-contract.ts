/** What every engine must return where the Jacobian has only one singular value that is not zero, or none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../engines/engine.ts";
import {
  assertClose,
  type Given,
  head,
  inEngine,
  somePoints,
  tanhNetwork,
  weightsOf,
} from "./engine-fixtures.ts";
import type { Tolerances } from "./tolerances.ts";

/** Registers the tests of an engine's exponents of degenerate Jacobians. */
export function exponentsDegenerateContract(engine: Engine, tolerances: Tolerances): void {
  const it = (sentence: string, body: () => void) => test(`${engine.id}: ${sentence}`, body);
  const { stretching } = tolerances;
  const exponentsOf = (given: Given, inputs: Float32Array) => {
    return inEngine(engine, given, (loaded) => loaded.exponents(inputs));
  };

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
}
