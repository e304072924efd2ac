import assert from "node:assert/strict";
import { test } from "node:test";
import { coarsen, coarsenLines, type SquareField } from "../results/figures/field-raster.ts";
import { seriesMeans } from "../results/figures/series-means.ts";
import { zeroContour } from "../results/figures/zero-contour.ts";

/** A field over the unit square. */
function field(points: number, value: (x: number, y: number) => number): SquareField {
  const at = (i: number) => (i + 0.5) / points;
  const values = Float32Array.from({ length: points * points }, (_, i) =>
    value(at(i % points), at(Math.floor(i / points))),
  );
  return { points, values };
}

const isNear = (a: number, b: number, tolerance = 1e-6) => Math.abs(a - b) <= tolerance;

test("coarsen: a field of few points stays as it is", () => {
  const fine = field(4, (x) => x);
  assert.deepEqual(coarsen(fine, 4), fine);
});

test("coarsen: a linear field stays linear, whether or not the points divide evenly", () => {
  for (const size of [16, 15, 7]) {
    const expected = field(size, (x, y) => x + 2 * y);
    const { values } = coarsen(
      field(32, (x, y) => x + 2 * y),
      size,
    );
    const error = Math.max(...values.map((value, i) => Math.abs(value - expected.values[i]!)));
    assert.ok(error < 1.5 / 32, `${size}: ${error}`);
    const mean = values.reduce((sum, value) => sum + value) / values.length;
    assert.ok(isNear(mean, 1.5), `${size}: ${mean}`);
  }
});

test("coarsen: NaN is left out of means, and a block of only NaN stays NaN", () => {
  const { values } = coarsen(
    field(30, (x, y) => (y < 0.5 || x < 0.1 ? Number.NaN : 1)),
    7,
  );
  assert.ok(Number.isNaN(values[0]!) && Number.isNaN(values[6]!));
  assert.ok(isNear(values[42]!, 1) && isNear(values[48]!, 1));
});

test("coarsenLines: lines just left and right of the vertical have a vertical mean", () => {
  const angles = field(8, (x) => (x < 0.5 ? Math.PI / 2 - 0.1 : -Math.PI / 2 + 0.1));
  const mean = coarsenLines(angles, 1).values[0]!;
  assert.ok(isNear(Math.abs(mean), Math.PI / 2), String(mean));
});

test("zero contour: a circle is one closed line at its radius", () => {
  const lines = zeroContour(field(64, (x, y) => Math.hypot(x - 0.5, y - 0.5) - 0.3));
  assert.equal(lines.length, 1);
  assert.deepEqual(lines[0]!.at(0), lines[0]!.at(-1));
  for (const [x, y] of lines[0]!) assert.ok(isNear(Math.hypot(x - 0.5, y - 0.5), 0.3, 1e-3));
});

test("zero contour: a line across the square is open, exact, and has the positive side on its left", () => {
  const lines = zeroContour(field(16, (x, y) => y - x / 2 - 0.2));
  assert.equal(lines.length, 1);
  for (const [x, y] of lines[0]!) assert.ok(isNear(y, x / 2 + 0.2));
  assert.ok(lines[0]!.at(0)![0] < lines[0]!.at(-1)![0]);
});

test("zero contour: a saddle connects the corners that have the sign of its middle", () => {
  // Positive at the lower left and the upper right. Each line leads from (x, ·) to (·, y).
  const saddle = (positive: number, negative: number) =>
    zeroContour({ points: 2, values: Float32Array.of(positive, negative, negative, positive) });
  const connected = saddle(3, -1);
  const separate = saddle(1, -3);
  assert.equal(connected.length, 2);
  assert.equal(separate.length, 2);
  for (const [from, to] of connected) assert.ok((from![0] - 0.5) * (to![1] - 0.5) < 0);
  for (const [from, to] of separate) assert.ok((from![0] - 0.5) * (to![1] - 0.5) > 0);
});

test("zero contour: a field that is unknown, or of one sign, has no line", () => {
  for (const value of [Number.NaN, 0, 1, -1])
    assert.deepEqual(zeroContour(field(5, () => value)), []);
  assert.deepEqual(zeroContour(field(1, () => 1)), []);
});

test("series means: three realisations give a standard error, two their range, one no bar", () => {
  const points = (x: number, ...ys: number[]) => ys.map((y) => ({ x, y, series: "L = 2" }));
  const means = seriesMeans([...points(10, 1, 2, 3), ...points(50, 4, 8), ...points(250, 5)]);
  const error = 1 / Math.sqrt(3);
  assert.deepEqual(
    means.map(({ x, mean, low, high }) => [x, mean, low, high]),
    [
      [10, 2, 2 - error, 2 + error],
      [50, 6, 4, 8],
      [250, 5, 5, 5],
    ],
  );
});

test("series means: points of different series at one x stay apart", () => {
  const means = seriesMeans([
    { x: 1, y: 1, series: "a" },
    { x: 1, y: 3, series: "b" },
  ]);
  assert.deepEqual(
    means.map(({ series, mean }) => [series, mean]),
    [
      ["a", 1],
      ["b", 3],
    ],
  );
});
