import assert from "node:assert/strict";
import { test } from "node:test";
import { activate } from "../numerics/activations.ts";
import { atan2, exp, log, log1p } from "../numerics/elementary.ts";
import type { Activation } from "../numerics/network.ts";
import { digamma, trigamma } from "../numerics/polygamma.ts";
import { randomStream } from "../numerics/random-stream.ts";

// Bounds are against V8's functions, themselves within 1 ulp: measured maxima, rounded up.
const SAMPLES = 100_000;

test("exp: within 1 ulp of Math.exp over its whole range", () => {
  assert.ok(maxUlps(exp, Math.exp, uniforms(-745, 709)) <= 1);
  assert.ok(maxUlps(exp, Math.exp, uniforms(-2, 2)) <= 1);
});

test("exp: ends of the range and special values", () => {
  for (const x of [
    0,
    -0,
    1,
    -745.2,
    -744,
    709.7,
    710,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
  ]) {
    assert.ok(ulps(exp(x), Math.exp(x)) <= 1, `exp(${x}) = ${exp(x)}`);
  }
});

test("log: within 1 ulp of Math.log, for subnormal numbers too", () => {
  assert.ok(maxUlps(log, Math.log, uniforms(-745, 709).map(Math.exp)) <= 1);
  assert.ok(maxUlps(log, Math.log, uniforms(0.5, 2)) <= 1);
  for (const x of [
    1,
    0,
    -0,
    -1,
    Number.MIN_VALUE,
    Number.MAX_VALUE,
    Number.POSITIVE_INFINITY,
    Number.NaN,
  ]) {
    assert.ok(ulps(log(x), Math.log(x)) <= 1, `log(${x}) = ${log(x)}`);
  }
});

test("log1p: within 3 ulp of Math.log1p between 0 and 1", () => {
  assert.ok(maxUlps(log1p, Math.log1p, uniforms(0, 1)) <= 3);
  assert.ok(maxUlps(log1p, Math.log1p, uniforms(-60, 0).map(Math.exp)) <= 3);
});

test("atan2: within 2 ulp of Math.atan2 all round, signed zeros and infinities included", () => {
  const special = [0, -0, 1, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
  for (const y of special) {
    for (const x of special)
      assert.ok(Object.is(atan2(y, x), Math.atan2(y, x)), `atan2(${y}, ${x})`);
  }
  const [ys, xs] = [uniforms(-3, 3), uniforms(-3, 3, 1)];
  let worst = 0;
  for (let i = 0; i < SAMPLES; i++) {
    worst = Math.max(worst, ulps(atan2(ys[i]!, xs[i]!), Math.atan2(ys[i]!, xs[i]!)));
  }
  assert.ok(worst <= 2, `${worst} ulp`);
});

test("tanh: within 4 ulp of Math.tanh, for tiny and for saturating arguments", () => {
  const tanh = (b: number) => activated("tanh", b).x;
  for (const [from, to] of [
    [-30, 30],
    [-1, 1],
    [-1e-3, 1e-3],
    [-1e-300, 1e-300],
  ] as const) {
    assert.ok(maxUlps(tanh, Math.tanh, uniforms(from, to)) <= 4, `${from} … ${to}`);
  }
  assert.deepEqual(
    [tanh(Number.POSITIVE_INFINITY), tanh(Number.NEGATIVE_INFINITY), tanh(Number.NaN), tanh(1e300)],
    [1, -1, Number.NaN, 1],
  );
});

test("tanh: its slope is 1/cosh² within 8 ulp where 1 − tanh² has long lost it", () => {
  const slope = (b: number) => activated("tanh", b).slope;
  assert.ok(maxUlps(slope, (b) => 1 / (Math.cosh(b) * Math.cosh(b)), uniforms(-300, 300)) <= 8);
  assert.equal(activated("tanh", 0).slope, 1);
  assert.equal(activated("tanh", 1e300).slope, 0);
});

test("sigmoid: value and slope within 4 and 8 ulp of their definitions by Math.exp", () => {
  const definition = (b: number) => 1 / (1 + Math.exp(-b));
  assert.ok(maxUlps((b) => activated("sigmoid", b).x, definition, uniforms(-700, 700)) <= 4);
  const slope = (b: number) => Math.exp(-Math.abs(b)) / (1 + Math.exp(-Math.abs(b))) ** 2;
  assert.ok(maxUlps((b) => activated("sigmoid", b).slope, slope, uniforms(-700, 700)) <= 8);
});

test("activations: tanh is odd and sigmoid(b) + sigmoid(−b) = 1, to the last bit and to 1 ulp", () => {
  for (const b of uniforms(0, 40).subarray(0, 1000)) {
    assert.equal(activated("tanh", -b).x, -activated("tanh", b).x);
    assert.equal(activated("tanh", -b).slope, activated("tanh", b).slope);
    assert.ok(ulps(activated("sigmoid", b).x + activated("sigmoid", -b).x, 1) <= 1);
  }
});

test("activations: relu and linear, and NaN through all of them", () => {
  assert.deepEqual(activated("relu", 2), { x: 2, slope: 1 });
  assert.deepEqual(activated("relu", -2), { x: 0, slope: 0 });
  assert.deepEqual(activated("relu", 0), { x: 0, slope: 0 });
  assert.deepEqual(activated("linear", -2), { x: -2, slope: 1 });
  for (const g of ["tanh", "sigmoid", "relu", "linear"] as const) {
    assert.ok(Number.isNaN(activated(g, Number.NaN).x), g);
  }
});

test("polygamma: known values and the recurrence", () => {
  const euler = 0.5772156649015329;
  assert.ok(Math.abs(digamma(1) + euler) < 1e-14);
  assert.ok(Math.abs(digamma(0.5) + euler + 2 * Math.LN2) < 1e-14);
  assert.ok(Math.abs(trigamma(1) - Math.PI ** 2 / 6) < 1e-14);
  assert.ok(Math.abs(trigamma(0.5) - Math.PI ** 2 / 2) < 1e-14);
  for (const x of [3.5, 15.5, 16, 100]) {
    assert.ok(Math.abs(digamma(x + 1) - digamma(x) - 1 / x) < 1e-14);
    assert.ok(Math.abs(trigamma(x) - trigamma(x + 1) - 1 / x ** 2) < 1e-14);
  }
});

function activated(g: Activation, value: number): { x: number; slope: number } {
  const b = Float64Array.of(value);
  const x = new Float64Array(1);
  const slope = new Float64Array(1);
  activate(g, { b, x, slope }, 1);
  return { x: x[0]!, slope: slope[0]! };
}

function uniforms(from: number, to: number, part = 0): Float64Array {
  const { uniform } = randomStream([3, 1], "data", part);
  return Float64Array.from({ length: SAMPLES }, () => from + (to - from) * uniform());
}

function maxUlps(f: (x: number) => number, g: (x: number) => number, xs: Float64Array): number {
  let worst = 0;
  for (const x of xs) worst = Math.max(worst, ulps(f(x), g(x)));
  return worst;
}

/** How many float64 numbers lie from a to b; 0 for two NaNs. */
function ulps(a: number, b: number): number {
  if (Object.is(a, b)) return 0;
  const [i, j] = new BigInt64Array(Float64Array.of(a, b).buffer);
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.POSITIVE_INFINITY;
  return Math.abs(Number(ordered(i!) - ordered(j!)));
}

/** Integers in the order of the numbers whose bits they are. */
function ordered(bits: bigint): bigint {
  return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits;
}
