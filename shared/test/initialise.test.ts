import assert from "node:assert/strict";
import { test } from "node:test";
import { criticalGain, initialWeights } from "../numerics/initialise.ts";
import type { NetworkShape } from "../numerics/network.ts";

const network: NetworkShape = {
  inputs: 2,
  hidden: [100, 200, 50],
  outputs: 40,
  activation: "tanh",
  outputActivation: "tanh",
};
const key = [1, 2] as const;

test("initial weights: every layer has the variance σ_w²·N/n of its fan-in n, and θ its own", () => {
  const weights = initialWeights(network, { weightVariance: 0.03, thresholdVariance: 0.25 }, key);
  for (const [l, fanIn] of [2, 100, 200, 50].entries()) {
    const { weight, bias } = weights[l]!;
    assertVariance(weight, (0.03 * 100) / fanIn);
    assertVariance(bias, 0.25);
  }
});

test("initial weights: another variance scales the same normal deviates", () => {
  const narrow = initialWeights(network, { weightVariance: 0.01, thresholdVariance: 0 }, key);
  const wide = initialWeights(network, { weightVariance: 0.04, thresholdVariance: 0 }, key);
  assert.deepEqual(
    narrow.map(({ weight }) => weight.map((w) => 2 * w)),
    wide.map(({ weight }) => weight),
  );
});

test("initial weights: thresholds of variance 0 are +0, and do not change the weights", () => {
  const without = initialWeights(network, { weightVariance: 0.01, thresholdVariance: 0 }, key);
  const withThem = initialWeights(network, { weightVariance: 0.01, thresholdVariance: 1 }, key);
  for (const [l, { weight, bias }] of without.entries()) {
    assert.ok(bias.every((b) => Object.is(b, 0)));
    assert.deepEqual(weight, withThem[l]!.weight);
  }
});

test("initial weights: the first numbers of a key never change", () => {
  const [first] = initialWeights(network, { weightVariance: 0.02, thresholdVariance: 0 }, key);
  assert.deepEqual(Array.from(first!.weight.subarray(0, 3)), FIRST_WEIGHTS);
});

test("critical gain: g'(0)² for smooth activations, ½ for relu", () => {
  assert.deepEqual(criticalGain, { tanh: 1, linear: 1, sigmoid: 1 / 16, relu: 1 / 2 });
});

/** As first made; they hold for every machine and every version of this program and of Node. */
const FIRST_WEIGHTS = [1.5588483501719814, -0.7268573603353186, 0.417417961820776];

/** Within four standard deviations of a Gaussian sample's variance about 0. */
function assertVariance(values: ArrayLike<number>, variance: number): void {
  const n = values.length;
  const measured = Array.from(values).reduce((sum, v) => sum + v * v, 0) / n;
  const error = 4 * variance * Math.sqrt(2 / n);
  assert.ok(Math.abs(measured - variance) < error, `${measured}, expected ${variance} ± ${error}`);
}
