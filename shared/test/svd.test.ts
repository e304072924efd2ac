import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { orthonormaliseRows } from "../numerics/lq.ts";
import { randomStream } from "../numerics/random-stream.ts";
import { svd } from "../numerics/svd.ts";

const shape = fc.record({
  rows: fc.integer({ min: 1, max: 9 }),
  cols: fc.integer({ min: 1, max: 9 }),
  part: fc.nat(1e6),
});
const settings = { seed: 7, numRuns: 100 };

test("svd: U and V have orthonormal rows, U·diag(s)·Vᵀ = A, Σs² = ‖A‖²", () => {
  const holds = fc.property(shape, ({ rows, cols, part }) => {
    const a = gaussian(rows * cols, part);
    const { s, uT, vT } = svd(a, rows, cols);
    assertOrthonormalRows(uT, s.length, rows);
    assertOrthonormalRows(vT, s.length, cols);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < cols; j++) {
        let sum = 0;
        for (let k = 0; k < s.length; k++) sum += s[k]! * uT[k * rows + i]! * vT[k * cols + j]!;
        assertClose(sum, a[i * cols + j]!, 1e-13);
      }
    }
    const squares = (values: Float64Array) => values.reduce((sum, v) => sum + v * v, 0);
    assertClose(squares(s), squares(a), 1e-12);
    assert.deepEqual(s, s.slice().sort().reverse());
  });
  fc.assert(holds, settings);
});

test("svd: singular values agree with those of ml-matrix", () => {
  const agrees = fc.property(shape, ({ rows, cols, part }) => {
    const a = gaussian(rows * cols, part);
    const other = new SingularValueDecomposition(Matrix.from1DArray(rows, cols, a), {
      autoTranspose: true,
    });
    const { s } = svd(a, rows, cols);
    for (const [i, value] of s.entries()) assertClose(value, other.diagonal[i]!, 1e-13);
  });
  fc.assert(agrees, settings);
});

test("svd: tiny singular values keep their relative accuracy when columns are graded", () => {
  const { s } = svd(Float64Array.of(1, 1e-30, 1, -1e-30), 2, 2);
  assertClose(s[0]!, Math.SQRT2, 1e-15);
  assertClose(s[1]! / (Math.SQRT2 * 1e-30), 1, 1e-15);
});

test("svd: a matrix of rank one, a zero matrix and a huge one", () => {
  assert.deepEqual(Array.from(svd(new Float64Array(6), 2, 3).s), [0, 0]);
  const rankOne = svd(Float64Array.of(1, 2, 3, 2, 4, 6), 2, 3).s;
  assertClose(rankOne[0]!, Math.sqrt(70), 1e-14);
  assertClose(rankOne[1]!, 0, 1e-14);
  const huge = svd(Float64Array.of(3e300, 0, 0, 4e300), 2, 2).s;
  assert.deepEqual(Array.from(huge), [4e300, 3e300]);
});

test("svd: an element that is not finite makes the singular values NaN", () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const { s } = svd(Float64Array.of(1, bad, 2, 3), 2, 2);
    assert.ok(s.every(Number.isNaN));
  }
});

test("orthonormalised rows: Q Qᵀ = I and L·Q = A with L lower triangular", () => {
  const holds = fc.property(shape, ({ rows, cols, part }) => {
    fc.pre(rows <= cols);
    const a = gaussian(rows * cols, part);
    const q = a.slice();
    const L = orthonormaliseRows(q, rows, cols);
    assertOrthonormalRows(q, rows, cols);
    for (let i = 0; i < rows; i++) {
      assert.ok(L[i * rows + i]! > 0);
      for (let j = 0; j < cols; j++) {
        let sum = 0;
        for (let k = 0; k <= i; k++) sum += L[i * rows + k]! * q[k * cols + j]!;
        assertClose(sum, a[i * cols + j]!, 1e-14);
      }
    }
  });
  fc.assert(holds, settings);
});

function gaussian(count: number, part: number): Float64Array {
  return Float64Array.from({ length: count }, randomStream([4, 2], "data", part).normal);
}

function assertOrthonormalRows(q: Float64Array, rows: number, cols: number): void {
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k <= i; k++) {
      let sum = 0;
      for (let j = 0; j < cols; j++) sum += q[i * cols + j]! * q[k * cols + j]!;
      assertClose(sum, i === k ? 1 : 0, 1e-12);
    }
  }
}

function assertClose(actual: number, expected: number, tolerance: number): void {
  assert.ok(
    Math.abs(actual - expected) <= tolerance,
    `${actual}, expected ${expected} ± ${tolerance}`,
  );
}
