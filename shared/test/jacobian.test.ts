import assert from "node:assert/strict";
import { test } from "node:test";
import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { activations } from "../numerics/forward.ts";
import { initialWeights } from "../numerics/initialise.ts";
import { jacobian } from "../numerics/jacobian.ts";
import { type Activation, float64Weights, type NetworkShape } from "../numerics/network.ts";
import { randomStream } from "../numerics/random-stream.ts";
import { lyapunovSpectrum } from "../numerics/spectrum.ts";

const activationNames = ["tanh", "sigmoid", "relu", "linear"] as const;

for (const activation of activationNames) {
  test(`jacobian: that of ${activation} layers equals central differences within 1e-8`, () => {
    const { network, weights, input } = randomCase(activation, [3, 6, 5, 4]);
    const { values, rows, cols, exponent } = jacobian(network, weights, input);
    assert.deepEqual([rows, cols], [4, 3]);
    // x^(L) is the output of the network with an identity behind it. Error: h²/6 and 2⁻⁵³/h.
    const h = 2 ** -17;
    for (let j = 0; j < cols; j++) {
      const [above, below] = [h, -h].map((step) => {
        const moved = input.slice();
        moved[j]! += step;
        return activations(network, weights, moved);
      });
      for (let i = 0; i < rows; i++) {
        const expected = (above![i]! - below![i]!) / (2 * h);
        assert.ok(Math.abs(values[i * cols + j]! * 2 ** exponent - expected) < 1e-8);
      }
    }
  });

  test(`jacobian: that of ${activation} layers is the product of ml-matrix's factors`, () => {
    const { network, weights, input } = randomCase(activation, [5, 6, 5, 4]);
    const J = jacobian(network, weights, input);
    let x = Matrix.columnVector(Array.from(input));
    let product = Matrix.eye(5);
    for (const { weight, bias } of weights.slice(0, -1)) {
      const W = Matrix.from1DArray(bias.length, x.rows, weight);
      const b = W.mmul(x).add(Matrix.columnVector(Array.from(bias)));
      const slopes = b.to1DArray().map((value) => slopeOf[activation](value));
      product = Matrix.diag(slopes).mmul(W).mmul(product);
      x = new Matrix(b.to2DArray().map(([value]) => [activationOf[activation](value!)]));
    }
    for (const [at, expected] of product.to1DArray().entries()) {
      assert.ok(Math.abs(J.values[at]! * 2 ** J.exponent - expected) < 1e-13);
    }
    const { diagonal } = new SingularValueDecomposition(product);
    const lambda = lyapunovSpectrum(network, weights)(input);
    for (const [i, value] of lambda.entries()) {
      assert.ok(Math.abs(Math.exp(3 * value) - diagonal[i]!) < 1e-13, `λ_${i + 1} = ${value}`);
    }
  });
}

test("spectrum: more inputs than neurons give the singular values of the whole Jacobian", () => {
  const { network, weights, input } = randomCase("tanh", [40, 6, 5]);
  const J = jacobian(network, weights, input);
  const { diagonal } = new SingularValueDecomposition(
    Matrix.from1DArray(J.rows, J.cols, J.values),
    { autoTranspose: true },
  );
  const lambda = lyapunovSpectrum(network, weights)(input);
  assert.equal(lambda.length, 5);
  for (const [i, value] of lambda.entries()) {
    const expected = (Math.log(diagonal[i]!) + J.exponent * Math.LN2) / 2;
    assert.ok(Math.abs(value - expected) < 1e-12, `λ_${i + 1} = ${value}, expected ${expected}`);
  }
});

test("spectrum: a bottleneck leaves −∞ for what cannot pass it", () => {
  const { network, weights, input } = randomCase("tanh", [5, 6, 2, 6]);
  const lambda = lyapunovSpectrum(network, weights)(input);
  assert.deepEqual(Array.from(lambda, Number.isFinite), [true, true, false, false, false]);
  assert.equal(lambda[2], Number.NEGATIVE_INFINITY);
});

test("spectrum: inputs or weights that are not finite give NaN, a Jacobian of zero −∞", () => {
  const { network, weights, input } = randomCase("tanh", [3, 4]);
  const spectrum = lyapunovSpectrum(network, weights);
  assert.ok(spectrum(Float64Array.of(0, Number.NaN, 0)).every(Number.isNaN));
  assert.ok(spectrum(Float64Array.of(0, Number.POSITIVE_INFINITY, 0)).every(Number.isNaN));
  const zero = weights.map(({ weight, bias }) => ({ weight: weight.map(() => 0), bias }));
  const isMinusInfinity = (value: number) => value === Number.NEGATIVE_INFINITY;
  assert.ok(lyapunovSpectrum(network, zero)(input).every(isMinusInfinity));
  zero[0]!.weight[0] = Number.NaN;
  assert.ok(lyapunovSpectrum(network, zero)(input).every(Number.isNaN));
});

const activationOf: Record<Activation, (b: number) => number> = {
  tanh: Math.tanh,
  sigmoid: (b) => 1 / (1 + Math.exp(-b)),
  relu: (b) => Math.max(b, 0),
  linear: (b) => b,
};

const slopeOf: Record<Activation, (b: number) => number> = {
  tanh: (b) => 1 - Math.tanh(b) ** 2,
  sigmoid: (b) => activationOf.sigmoid(b) * (1 - activationOf.sigmoid(b)),
  relu: (b) => (b > 0 ? 1 : 0),
  linear: () => 1,
};

/** A random network of these widths whose output is its last hidden layer, and a random input. */
function randomCase(activation: Activation, widths: readonly number[]) {
  const hidden = widths.slice(1);
  const last = hidden.at(-1)!;
  const network: NetworkShape = {
    inputs: widths[0]!,
    hidden,
    outputs: last,
    activation,
    outputActivation: "linear",
  };
  const scale = { weightVariance: 2 / hidden[0]!, thresholdVariance: 0.5 };
  const weights = float64Weights(network, initialWeights(network, scale, [6, 28]));
  weights.at(-1)!.weight.set(Matrix.eye(last).to1DArray());
  weights.at(-1)!.bias.fill(0);
  const input = Float64Array.from({ length: widths[0]! }, randomStream([6, 29], "data", 0).normal);
  return { network, weights, input };
}
