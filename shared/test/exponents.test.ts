import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { initialWeights } from "../numerics/initialise.ts";
import { orthonormaliseRows } from "../numerics/lq.ts";
import { type Activation, float64Weights, type NetworkShape } from "../numerics/network.ts";
import { planeExponents } from "../numerics/plane-exponents.ts";
import { digamma, trigamma } from "../numerics/polygamma.ts";
import { randomStream } from "../numerics/random-stream.ts";
import { lyapunovSpectrum } from "../numerics/spectrum.ts";
import { repositoryFile } from "../testing/repository.ts";

const reference = JSON.parse(
  readFileSync(repositoryFile("shared/test/reference/network.json"), "utf8"),
);

for (const { network, weights, inputs, stretching } of reference.cases) {
  test(`exponents: those of every ${network.activation} layer agree with NumPy`, () => {
    const at = planeExponents(network, float64Weights(network, weights));
    for (const [point, layers] of stretching.entries()) {
      at.moveTo(inputs[2 * point], inputs[2 * point + 1], "all");
      for (const [l, [lambda1, lambda2, angle]] of layers.entries()) {
        // The SVD loses σ_2 by rounding of σ_1, and the angle where σ_1 and σ_2 are close.
        const ratio = Math.exp((l + 1) * (lambda1 - lambda2));
        assertClose(at.lambda1[l]!, lambda1, 1e-14);
        assertClose(at.lambda2[l]!, lambda2, 1e-14 * ratio);
        assertClose(Math.sin(at.direction[l]! - angle), 0, (1e-14 * ratio) / (ratio - 1));
      }
    }
  });
}

for (const activation of ["tanh", "sigmoid", "relu", "linear"] as const) {
  test(`exponents: two tangents agree with Jacobian and SVD to 1e-10 (${activation})`, () => {
    const agree = fc.property(anyNetwork, fc.nat(1e6), (hidden, part) => {
      const { network, weights } = randomNetwork(hidden, activation, part);
      const [x, y] = pointOf(part);
      const at = planeExponents(network, weights);
      at.moveTo(x, y, "last");
      const [lambda1, lambda2 = Number.NEGATIVE_INFINITY] = lyapunovSpectrum(
        network,
        weights,
      )(Float64Array.of(x, y));
      const L = hidden.length;
      if (lambda1 === Number.NEGATIVE_INFINITY) return Number.isNaN(at.lambda1[L - 1]!);
      assertClose(at.lambda1[L - 1]!, lambda1!, 1e-10);
      // Where the SVD can tell σ_2 from rounding of σ_1.
      if (L * (lambda1! - lambda2) < Math.log(1e4)) assertClose(at.lambda2[L - 1]!, lambda2, 1e-10);
      return true;
    });
    fc.assert(agree, { seed: 11, numRuns: 60 });
  });
}

test("exponents: scaling the weights of a linear network by c adds ln c", () => {
  const adds = fc.property(
    anyNetwork,
    fc.nat(1e6),
    fc.double({ min: 0.01, max: 100, noNaN: true }),
    (hidden, part, c) => {
      const { network, weights } = randomNetwork(hidden, "linear", part);
      const scaled = weights.map(({ weight, bias }) => ({
        weight: weight.map((w) => c * w),
        bias,
      }));
      const [before, after] = [weights, scaled].map((each) => {
        const at = planeExponents(network, each);
        at.moveTo(0, 0, "last");
        return at.lambda1.at(-1)!;
      });
      assertClose(after!, before! + Math.log(c), 1e-13);
    },
  );
  fc.assert(adds, { seed: 12, numRuns: 100 });
});

test("exponents: the mirrored input has the same ones, to the last bit, when thresholds are 0", () => {
  const network = shapeOf([10, 10, 10], "tanh");
  const scale = { weightVariance: 0.15, thresholdVariance: 0 };
  const at = planeExponents(
    network,
    float64Weights(network, initialWeights(network, scale, [3, 3])),
  );
  for (let part = 0; part < 50; part++) {
    const [x, y] = pointOf(part);
    const [here, mirrored] = [1, -1].map((sign) => {
      at.moveTo(sign * x, sign * y, "all");
      return [...at.lambda1, ...at.lambda2, ...at.direction];
    });
    assert.deepEqual(here, mirrored);
  }
});

test("exponents: direction lies in (−π/2, π/2], for stretching along y too", () => {
  const network = shapeOf([2], "linear");
  const directions = [
    [3, 0, 0, 1],
    [1, 0, 0, 3],
    [1, 0, 0, -3],
    [-1, 0, -0, 3],
    [1, 0, -1e-200, 3],
    [2, 0, 0, 2],
  ].map((weight) => {
    const layer = { weight: Float64Array.from(weight), bias: new Float64Array(2) };
    const at = planeExponents(network, [layer, head(2)]);
    at.moveTo(0, 0, "last");
    return at.direction[0]!;
  });
  assert.deepEqual(directions, [0, ...new Array(4).fill(Math.PI / 2), 0]);
});

test("exponents: λ_2 stays accurate where σ_2 is far below the rounding of σ_1", () => {
  const hidden = new Array<number>(200).fill(2);
  const layer = { weight: Float64Array.of(2, 1, 1, 2), bias: new Float64Array(2) };
  const at = planeExponents(shapeOf(hidden, "linear"), [...hidden.map(() => layer), head(2)]);
  at.moveTo(0, 0, "last");
  // Eigenvalues 3 and 1 of a symmetric matrix: σ_1/σ_2 = 3²⁰⁰.
  assertClose(at.lambda1.at(-1)!, Math.log(3), 1e-15);
  assertClose(at.lambda2.at(-1)!, 0, 1e-14);
  assertClose(at.direction.at(-1)!, Math.PI / 4, 1e-15);
});

test("exponents: one active relu neuron leaves rank one, no active one leaves NaN", () => {
  const network = shapeOf([2, 3], "relu");
  const second = { weight: Float64Array.of(1, 0.3, 0.7, 0.2, 0.9, 1), bias: new Float64Array(3) };
  const [one, none] = [
    [0, -9],
    [-9, -9],
  ].map((bias) => {
    const first = { weight: Float64Array.of(0.3, 0.7, 0.2, 0.9), bias: Float64Array.from(bias) };
    const at = planeExponents(network, [first, second, head(3)]);
    at.moveTo(1, 1, "last");
    return [at.lambda1[1]!, at.lambda2[1]!];
  });
  assert.ok(Number.isFinite(one![0]!));
  assert.equal(one![1], Number.NEGATIVE_INFINITY);
  assert.deepEqual(none, [Number.NaN, Number.NaN]);
});

test("exponents: slopes far below 10⁻¹⁵⁴ do not vanish when they are squared", () => {
  const layer = { weight: Float64Array.of(1, 0, 0, 1), bias: Float64Array.of(200, 200) };
  const at = planeExponents(shapeOf([2], "tanh"), [layer, head(2)]);
  at.moveTo(0, 0, "last");
  assertClose(at.lambda1[0]!, Math.log(4) - 400, 1e-12);
  assertClose(at.lambda2[0]!, Math.log(4) - 400, 1e-12);
});

test("exponents: a network without two inputs throws RangeError", () => {
  const network = { ...shapeOf([2], "tanh"), inputs: 3 };
  assert.throws(() => planeExponents(network, []), RangeError);
});

test("Lyapunov exponents: those of Gaussian matrix products are Newman's, within four deviations", () => {
  const [N, L, sigma2] = [8, 3000, 0.3];
  const { normal } = randomStream([19, 86], "data", 0);
  const tangents = new Float64Array(N * N);
  for (let i = 0; i < N; i++) tangents[i * (N + 1)] = 1;
  const sums = new Float64Array(N);
  for (let l = 0; l < L; l++) {
    const W = Float64Array.from({ length: N * N }, () => Math.sqrt(sigma2) * normal());
    multiplyRows(tangents, W, N);
    const R = orthonormaliseRows(tangents, N, N);
    for (let i = 0; i < N; i++) sums[i]! += Math.log(R[i * (N + 1)]!);
  }
  for (let i = 1; i <= N; i++) {
    const expected = (Math.log(2 * sigma2) + digamma((N - i + 1) / 2)) / 2;
    const deviation = Math.sqrt(trigamma((N - i + 1) / 2) / (4 * L));
    assertClose(sums[i - 1]! / L, expected, 4 * deviation);
  }
});

test("mean field: λ_1 of untrained tanh networks at N = 512 is that of the product of √χ", () => {
  const [N, L, gain] = [512, 6, 1.2];
  const network = shapeOf(new Array<number>(L).fill(N), "tanh");
  const scale = { weightVariance: gain / N, thresholdVariance: 0 };
  const at = planeExponents(
    network,
    float64Weights(network, initialWeights(network, scale, [5, 12])),
  );
  for (const [x, y] of [
    [0.3, 0.2],
    [1, -1],
    [1.5, 1.2],
  ] as const) {
    at.moveTo(x, y, "last");
    let q = (gain * (x * x + y * y)) / 2;
    let logGrowth = Math.log(N / 2) / 2;
    for (let l = 1; l <= L; l++) {
      logGrowth += Math.log(gain * gaussianMean((z) => Math.cosh(Math.sqrt(q) * z) ** -4)) / 2;
      q = gain * gaussianMean((z) => Math.tanh(Math.sqrt(q) * z) ** 2);
    }
    // λ_1 scatters about the limit; six measurements lay between −0.005 and 0.016.
    const difference = at.lambda1.at(-1)! - logGrowth / L;
    assert.ok(Math.abs(difference) < 0.02, `(${x}, ${y}): ${difference}`);
  }
});

const anyNetwork = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 8 });

function shapeOf(hidden: readonly number[], activation: Activation): NetworkShape {
  return { inputs: 2, hidden, outputs: 1, activation, outputActivation: "linear" };
}

function randomNetwork(hidden: readonly number[], activation: Activation, part: number) {
  const network = shapeOf(hidden, activation);
  const scale = { weightVariance: 1.5 / hidden[0]!, thresholdVariance: 0.1 };
  return { network, weights: float64Weights(network, initialWeights(network, scale, [part, 7])) };
}

function pointOf(part: number): [number, number] {
  const { normal } = randomStream([8, 8], "data", part);
  return [normal(), normal()];
}

function head(inputs: number) {
  return { weight: new Float64Array(inputs), bias: new Float64Array(1) };
}

/** Every row v of `rows` [N, N] becomes W v. */
function multiplyRows(rows: Float64Array, W: Float64Array, N: number): void {
  for (let r = 0; r < N; r++) {
    const v = rows.slice(r * N, (r + 1) * N);
    for (let i = 0; i < N; i++) {
      let sum = 0;
      for (let j = 0; j < N; j++) sum += W[i * N + j]! * v[j]!;
      rows[r * N + i] = sum;
    }
  }
}

/** E[f(z)] for standard normal z: the trapezoidal rule, exact to rounding for smooth f. */
function gaussianMean(f: (z: number) => number): number {
  const step = 1 / 32;
  let sum = 0;
  for (let z = -10; z <= 10; z += step) sum += f(z) * Math.exp((-z * z) / 2);
  return (sum * step) / Math.sqrt(2 * Math.PI);
}

function assertClose(actual: number, expected: number, tolerance: number): void {
  const isClose = Math.abs(actual - expected) <= tolerance || Object.is(actual, expected);
  assert.ok(isClose, `${actual}, expected ${expected} ± ${tolerance}`);
}
