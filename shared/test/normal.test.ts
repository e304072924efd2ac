import assert from "node:assert/strict";
import { test } from "node:test";
import { normalQuantile } from "../numerics/normal-quantile.ts";
import { randomStream } from "../numerics/random-stream.ts";

// √2·erfinv(2p − 1) with mpmath at 40 digits; the first three p also test Wichura's program.
const quantiles = [
  [0.25, -0.6744897501960817],
  [0.001, -3.090232306167813],
  [1e-20, -9.26234008979841],
  [0.975, 1.959963984540054],
  [0.5, 0],
  [2 ** -53, -8.209536151601387],
] as const;

for (const [p, z] of quantiles) {
  test(`normal quantile: Φ⁻¹(${p}) is ${z} within a relative error of 10⁻¹⁵`, () => {
    assert.ok(Math.abs(normalQuantile(p) - z) <= 1e-15 * Math.abs(z), `${normalQuantile(p)}`);
  });
}

test("normal quantile: it is odd about ½", () => {
  for (const p of [0.01, 0.06, 0.08, 0.3, 2 ** -30]) {
    assert.ok(
      Math.abs(normalQuantile(p) + normalQuantile(1 - p)) < 1e-14 * Math.abs(normalQuantile(p)),
    );
  }
});

test("random stream: normals have the moments 0, 1, 0, 3", () => {
  const n = 200_000;
  const { normal } = randomStream([11, 12], "weights", 1);
  const sums = [0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const z = normal();
    for (let k = 0; k < 4; k++) sums[k]! += z ** (k + 1) / n;
  }
  // Variances of zᵏ: 1, 2, 15, 96. Four standard deviations of the mean.
  for (const [k, [moment, variance]] of [
    [0, 1],
    [1, 2],
    [0, 15],
    [3, 96],
  ].entries()) {
    assert.ok(
      Math.abs(sums[k]! - moment!) < 4 * Math.sqrt(variance! / n),
      `moment ${k + 1}: ${sums[k]}`,
    );
  }
});
