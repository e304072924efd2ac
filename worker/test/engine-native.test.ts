import assert from "node:assert/strict";
import { test } from "node:test";
import { exactChecks } from "../../shared/numerics/exact-checks.ts";
import { initialWeights } from "../../shared/numerics/initialise.ts";
import type { Activation, NetworkShape } from "../../shared/numerics/network.ts";
import { loadNative } from "../engines/native.ts";
import { referenceEngine } from "../engines/reference.ts";
import { engineContract } from "../testing/engine-contract.ts";

const native = loadNative();
if ("missing" in native) throw new Error(native.missing);
const { engine } = native;

// float32 rounds to 6e-8; sums of N terms, and L layers on each other, leave some ten times that. Measured: all of
// the contract passes with 3e-6 throughout, and not with 1e-6.
engineContract(engine, { stretching: 2e-6, output: 1e-6, gradient: 5e-6 });

for (const check of exactChecks) {
  test(`native: ${check.name}`, () => {
    const { measured, expected, tolerance, ok } = check.run(engine);
    assert.ok(ok, `expected ${expected} ± ${tolerance}, got ${measured}`);
  });
}

/** g and g' of one neuron with weight 1 at each b: g is its activation, g' the factor that it stretches by. */
function ofOneNeuron(activation: Activation, fields: Float32Array) {
  const network = oneNeuron(activation);
  const layer = () => ({ weight: Float64Array.of(1), bias: Float64Array.of(0) });
  const loaded = engine.load(network, [layer(), layer()]);
  const result = { x: loaded.activations(fields, 1), logSlope: loaded.exponents(fields).lambda1 };
  loaded.dispose();
  return result;
}

function oneNeuron(activation: Activation): NetworkShape {
  return { inputs: 1, hidden: [1], outputs: 1, activation, outputActivation: "linear" };
}

/** Both signs, from 2⁻³⁰ to 40, dense in powers of two. */
const fields = Float32Array.from({ length: 20_000 }, (_, i) => {
  return (i % 2 === 0 ? 1 : -1) * 2 ** (-30 + (35.32 * i) / 20_000);
});

test("native: tanh is right to 4 units in the last place, and its slope also where it saturates", () => {
  const { x, logSlope } = ofOneNeuron("tanh", fields);
  fields.forEach((b, i) => {
    const expected = Math.tanh(b);
    assert.ok(Math.abs(x[i]! - expected) <= 4 * 2 ** -24 * Math.abs(expected), `tanh ${b}`);
    const e = Math.exp(-2 * Math.abs(b));
    const expectedLog = Math.log(4) - 2 * Math.abs(b) - 2 * Math.log1p(e);
    // The exponent's constant is a float32: 2.7e-8·|b|; then λ₁ itself is rounded.
    const tolerance = 4e-7 + 2.7e-8 * Math.abs(b) + 2 ** -24 * Math.abs(expectedLog);
    assert.ok(Math.abs(logSlope[i]! - expectedLog) <= tolerance, `slope of tanh at ${b}`);
  });
});

test("native: the logistic function is right to 4 units in the last place, and so is its slope", () => {
  const { x, logSlope } = ofOneNeuron("sigmoid", fields);
  fields.forEach((b, i) => {
    const expected = 1 / (1 + Math.exp(-b));
    const tolerance = 4 * 2 ** -24 + 1.4e-8 * Math.abs(b);
    assert.ok(Math.abs(x[i]! - expected) <= tolerance * expected, `sigmoid ${b}`);
    const expectedLog = -Math.abs(b) - 2 * Math.log1p(Math.exp(-Math.abs(b)));
    const tolerated = 4e-7 + 1.4e-8 * Math.abs(b) + 2 ** -24 * Math.abs(expectedLog);
    assert.ok(Math.abs(logSlope[i]! - expectedLog) <= tolerated, `slope of sigmoid at ${b}`);
  });
});

test("native: λ₁ differs from the reference's by less than 1e-5 at most points, also at strong gains", () => {
  const axis = Float64Array.from({ length: 24 }, (_, i) => Math.fround((i - 11.5) / 8));
  for (const [N, L, gain] of [
    [10, 8, 1],
    [50, 8, 1],
    [50, 12, 4],
    [200, 4, 2],
  ] as const) {
    const network = { ...oneNeuron("tanh"), inputs: 2, hidden: new Array<number>(L).fill(N) };
    const scale = { weightVariance: gain / N, thresholdVariance: 0 };
    const weights = initialWeights(network, scale, [3, 1]).map(({ weight, bias }) => {
      return { weight: Float32Array.from(weight), bias: Float32Array.from(bias) };
    });
    const [ours, theirs] = [engine, referenceEngine].map((one) => {
      const loaded = one.load(network, weights);
      const { lambda1 } = loaded.field({ x: axis, y: axis, layers: "last" });
      loaded.dispose();
      return lambda1;
    });
    const differences = ours!.map((lambda1, i) => Math.abs(lambda1 - theirs![i]!)).sort();
    const typical = differences[Math.floor(0.99 * differences.length)]!;
    assert.ok(typical < 1e-5, `N = ${N}, L = ${L}, gain ${gain}: 99 % below ${typical}`);
  }
});

test("native: a network of an empty tile and of no samples gives empty arrays", () => {
  const network = { ...oneNeuron("tanh"), inputs: 2 };
  const weights = initialWeights(network, { weightVariance: 1, thresholdVariance: 0 }, [1, 1]);
  const loaded = engine.load(network, weights);
  const none = new Float64Array(0);
  assert.equal(loaded.field({ x: none, y: none, layers: "all" }).lambda1.length, 0);
  assert.equal(loaded.outputs(new Float32Array(0)).length, 0);
  assert.equal(loaded.exponents(new Float32Array(0)).lambda1.length, 0);
  loaded.dispose();
});
