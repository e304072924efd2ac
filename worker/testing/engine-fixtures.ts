/** Networks and points that the parts of the engine contract share. */
import assert from "node:assert/strict";
import { initialWeights } from "../../shared/numerics/initialise.ts";
import type { NetworkShape } from "../../shared/numerics/network.ts";
import { randomStream } from "../../shared/numerics/random-stream.ts";

export const tanhNetwork: NetworkShape = {
  inputs: 2,
  hidden: [7, 6],
  outputs: 1,
  activation: "tanh",
  outputActivation: "tanh",
};

/** Random weights with thresholds, rounded to float32 so that every engine computes with the same. */
export function weightsOf(network: NetworkShape): { weight: Float64Array; bias: Float64Array }[] {
  const scale = { weightVariance: 1 / network.hidden[0]!, thresholdVariance: 0.25 };
  return initialWeights(network, scale, [17, 4]).map(({ weight, bias }) => ({
    weight: Float64Array.from(weight, Math.fround),
    bias: Float64Array.from(bias, Math.fround),
  }));
}

export function somePoints(count: number): Float32Array {
  const { normal } = randomStream([2, 9], "data", 0);
  return Float32Array.from({ length: count }, normal);
}

export function zeros(n: number): Float64Array {
  return new Float64Array(n);
}

export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    assert.ok(
      difference <= tolerance || Object.is(actual[i], expected[i]),
      `[${i}]: expected ${expected[i]} ± ${tolerance}, got ${actual[i]}`,
    );
  }
}
