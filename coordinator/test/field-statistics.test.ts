import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fieldStatistics } from "../store/field-statistics.ts";

/** Fields of up to 24² points and two layers, some with λ₁ that is not finite. */
const fields = fc.integer({ min: 1, max: 24 }).chain((points) => {
  const many = (value: fc.Arbitrary<number>, count: number) =>
    fc
      .array(value, { minLength: count, maxLength: count })
      .map((values) => new Float32Array(values));
  const odd = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
  const exponent = fc.float({ min: -4, max: 4, noNaN: true });
  return fc.record({
    points: fc.constant(points),
    lambda1: many(
      fc.oneof({ weight: 9, arbitrary: exponent }, { weight: 1, arbitrary: odd }),
      2 * points ** 2,
    ),
    output: many(fc.float({ min: -1, max: 1, noNaN: true }), points ** 2),
  });
});

test("field statistics: mean, spread and extremes are those of the last layer's finite points", () => {
  fc.assert(
    fc.property(fields, ({ points, lambda1, output }) => {
      const last = [...lambda1.subarray(points ** 2)];
      const finite = last.filter(Number.isFinite);
      const made = fieldStatistics({ lambda1, output, points });
      assert.equal(made.notFinite, last.length - finite.length);
      assertClose(made.lambda1Mean, mean(finite));
      const variance = mean(finite.map((value) => (value - mean(finite)!) ** 2));
      assertClose(made.lambda1Std, variance === null ? null : Math.sqrt(variance));
      assert.equal(made.lambda1Min, finite.length === 0 ? null : Math.min(...finite));
      assert.equal(made.lambda1Max, finite.length === 0 ? null : Math.max(...finite));
    }),
    { seed: 6, numRuns: 300 },
  );
});

test("field statistics: the boundary is where a neighbour in a row or column has the other sign", () => {
  fc.assert(
    fc.property(fields, ({ points, lambda1, output }) => {
      const isPositive = (row: number, column: number) => output[row * points + column]! > 0;
      const onBoundary: number[] = [];
      for (let at = 0; at < points ** 2; at++) {
        const [row, column] = [Math.floor(at / points), at % points];
        const neighbours = [
          [row - 1, column],
          [row + 1, column],
          [row, column - 1],
          [row, column + 1],
        ] as const;
        const inside = neighbours.filter((place) => place.every((i) => i >= 0 && i < points));
        if (inside.some(([r, c]) => isPositive(r, c) !== isPositive(row, column))) {
          onBoundary.push(lambda1[points ** 2 + at]!);
        }
      }
      const made = fieldStatistics({ lambda1, output, points });
      assertClose(made.lambda1Boundary, mean(onBoundary.filter(Number.isFinite)));
    }),
    { seed: 6, numRuns: 300 },
  );
});

test("field statistics: the centre is the middle tenth of each side, and at least one point", () => {
  for (const [points, middle] of [
    [1, [0]],
    [2, [0, 1]],
    [3, [1]],
    [20, [9, 10]],
    [100, Array.from({ length: 10 }, (_, i) => 45 + i)],
  ] as const) {
    const lambda1 = Float32Array.from({ length: points ** 2 }, (_, at) => (at * 7) % 11);
    const inside = middle.flatMap((row) => middle.map((column) => lambda1[row * points + column]!));
    const made = fieldStatistics({ lambda1, output: new Float32Array(points ** 2), points });
    assertClose(made.lambda1Centre, mean(inside));
    assert.equal(made.lambda1Boundary, null); // no output changes its sign
  }
});

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
}

/** To the rounding of some hundred sums of numbers below 16. */
function assertClose(found: number | null, expected: number | null): void {
  if (found === null || expected === null) assert.equal(found, expected);
  else assert.ok(Math.abs(found - expected) < 1e-10, `${found} is not ${expected}`);
}

test("field statistics: of more than two classes, the boundary is where the label changes", () => {
  const output = Float32Array.of(2, 2, 0, 2, 2, 0, 2, 2, 1);
  const lambda1 = Float32Array.from({ length: 9 }, (_, i) => i);
  const made = fieldStatistics({ lambda1, output, points: 3 }, "label");
  assertClose(made.lambda1Boundary, mean([1, 2, 4, 5, 7, 8]));
});
