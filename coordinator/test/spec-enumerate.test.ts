import assert from "node:assert/strict";
import { test } from "node:test";
import { criticalGain } from "../../shared/numerics/initialise.ts";
import { combinations, countCombinations, type LatticePoint } from "../spec/enumerate.ts";
import { parseSweep } from "../spec/parse-sweep.ts";
import type { Sweep } from "../spec/sweep.ts";

test("combinations: seed is slowest, then weight variance, then width, depth fastest", () => {
  const sweep = sweepOf(
    "axes: {depth: [2, 4], width: [10, 20], seed: [5, 6], weightVariance: [0.1, 0.2]}",
  );
  const [first, ...rest] = points(sweep);
  assert.equal(countCombinations(sweep), 16);
  assert.equal(rest.length, 15);
  assert.deepEqual(first, {
    width: 10,
    depth: 2,
    hidden: [10, 10],
    weightVariance: 0.1,
    logGain: 0,
    seed: 5,
    parameters: {},
    index: { seed: 0, weightVariance: 0, width: 0, depth: 0 },
  });
  const orders = points(sweep).map(({ index }) => Object.values(index).join(""));
  assert.deepEqual(Object.keys(first!.index), ["seed", "weightVariance", "width", "depth"]);
  assert.deepEqual(orders, [...orders].sort());
});

test("combinations: zipped axes move in step, in the place of the slowest", () => {
  const sweep = sweepOf(`
axes: {width: [10, 20], depth: [2, 3, 4], seed: [7, 8]}
zip: [[width, seed]]`);
  assert.equal(countCombinations(sweep), 6);
  assert.deepEqual(
    points(sweep).map(({ seed, width, depth }) => [seed, width, depth]),
    [
      [7, 10, 2],
      [7, 10, 3],
      [7, 10, 4],
      [8, 20, 2],
      [8, 20, 3],
      [8, 20, 4],
    ],
  );
});

test("combinations: several groups of zipped axes are independent of each other", () => {
  const sweep = sweepOf(`
axes: {width: [10, 20], depth: [2, 4], seed: [0, 1, 2], weightVariance: {logGain: [-1, 0, 1]}}
zip: [[width, depth], [weightVariance, seed]]`);
  assert.equal(countCombinations(sweep), 6);
  assert.deepEqual(
    points(sweep).map(({ width, depth, seed, logGain }) => [width, depth, seed, logGain]),
    [
      [10, 2, 0, -1],
      [20, 4, 0, -1],
      [10, 2, 1, 0],
      [20, 4, 1, 0],
      [10, 2, 2, 1],
      [20, 4, 2, 1],
    ],
  );
});

test("combinations: those that break a constraint are left out, the others keep their places", () => {
  const sweep = sweepOf(`
axes: {width: [10, 20, 40], depth: [2, 4]}
where: [width * depth <= 80, "not (width == 20 and depth == 4)"]`);
  assert.equal(countCombinations(sweep), 6);
  assert.deepEqual(
    points(sweep).map(({ width, depth, index }) => [width, depth, index.width, index.depth]),
    [
      [10, 2, 0, 0],
      [10, 4, 0, 1],
      [20, 2, 1, 0],
      [40, 2, 2, 0],
    ],
  );
});

test("combinations: with explicit layers, width is the largest, depth their number, N the first", () => {
  const sweep = sweepOf("axes: {hidden: [[25, 50], [8, 4, 2]]}");
  const [first, second] = points(sweep);
  assert.deepEqual([first!.width, first!.depth, first!.hidden], [50, 2, [25, 50]]);
  assert.deepEqual([second!.width, second!.depth, second!.hidden], [8, 3, [8, 4, 2]]);
  assert.equal(first!.weightVariance, 1 / 25);
  assert.deepEqual(second!.index, { seed: 0, weightVariance: 0, hidden: 1 });
});

for (const activation of ["tanh", "relu", "sigmoid", "linear"] as const) {
  test(`combinations: critical is exactly 1/(G·N) for ${activation}`, () => {
    const sweep = sweepOf(`axes: {width: 1..300, depth: 1}\nnetwork: {activation: ${activation}}`);
    for (const { width, weightVariance, logGain } of points(sweep)) {
      assert.equal(weightVariance, 1 / (criticalGain[activation] * width));
      assert.equal(logGain, 0);
    }
  });
}

test("combinations: logGain and an absolute variance are two names for one thing", () => {
  const text = "network: {activation: sigmoid}\naxes: {width: [10, 50], depth: 1, weightVariance: ";
  for (const { width, weightVariance, logGain } of points(
    sweepOf(`${text}{logGain: [-0.2, 1]}}`),
  )) {
    assertUlps(weightVariance, Math.exp(logGain) / (width / 16));
  }
  for (const { width, weightVariance, logGain } of points(sweepOf(`${text}[0.1, 3]}`))) {
    assertUlps(logGain, Math.log((width / 16) * weightVariance));
  }
});

/** Within the two units in the last place by which our exp and log may differ from V8's. */
function assertUlps(actual: number, expected: number): void {
  const ulp = 2 ** (Math.floor(Math.log2(Math.abs(expected))) - 52);
  assert.ok(Math.abs(actual - expected) <= 2 * ulp, `${actual} is not ${expected}`);
}

test("combinations: a point may be kept, later points do not change it", () => {
  const [first, second] = points(sweepOf("axes: {width: [10, 20], depth: 2}"));
  assert.deepEqual([first!.index.width, second!.index.width], [0, 1]);
});

function points(sweep: Sweep): LatticePoint[] {
  return [...combinations(sweep)];
}

function sweepOf(text: string): Sweep {
  const parsed = parseSweep(text, { file: "spec.yaml" });
  assert.ok("sweep" in parsed, "faults" in parsed ? JSON.stringify(parsed.faults) : "");
  return parsed.sweep;
}
