import assert from "node:assert/strict";
import { test } from "node:test";
import { circle } from "../datasets/circle.ts";
import { defaultOptions } from "../datasets/data-set.ts";
import { splitsDigest } from "../datasets/digest.ts";
import { dataSet, dataSets, makeDataSet } from "../datasets/registry.ts";

const options = defaultOptions(circle);

test("circle: 36 000 points to train and 4 000 to test, half of them inside", () => {
  const { train, test } = circle.make(options);
  assert.deepEqual([train.samples, test.samples], [36_000, 4_000]);
  assert.deepEqual([train.inputs.length, train.targets.length], [72_000, 36_000]);
  const outside = train.targets.reduce((count, t) => count + (t === 1 ? 1 : 0), 0);
  // Four standard deviations of a fair coin.
  assert.ok(Math.abs(outside - 18_000) < 4 * Math.sqrt(9_000));
});

test("circle: targets are −1 inside the radius and +1 outside, points fill the region", () => {
  for (const standardised of [true, false]) {
    const chosen = { ...options, samples: 5000, radius: 0.6, standardised };
    const [, halfWidth] = circle.region(chosen).x;
    assert.equal(halfWidth, standardised ? Math.sqrt(3) : 1);
    const { inputs, targets, samples } = circle.make(chosen).train;
    for (let i = 0; i < samples; i++) {
      const distance = Math.hypot(inputs[2 * i]!, inputs[2 * i + 1]!) / halfWidth;
      if (Math.abs(distance - 0.6) > 1e-6) assert.equal(targets[i], distance < 0.6 ? -1 : 1);
    }
    const largest = Math.max(...inputs);
    assert.ok(largest <= Math.fround(halfWidth) && largest > 0.999 * halfWidth);
  }
});

test("circle: standardised coordinates have mean 0 and variance 1", () => {
  const { inputs } = circle.make(options).train;
  const n = inputs.length;
  const mean = inputs.reduce((sum, x) => sum + x, 0) / n;
  const variance = inputs.reduce((sum, x) => sum + x * x, 0) / n;
  // Four standard deviations; x² of a uniform x of variance 1 has variance 4/5.
  assert.ok(Math.abs(mean) < 4 / Math.sqrt(n));
  assert.ok(Math.abs(variance - 1) < 4 * Math.sqrt(0.8 / n));
});

test("circle: the smallest sets keep a sample in each split", () => {
  const { train, test } = circle.make({ ...options, samples: 2, trainFraction: 0.99 });
  assert.deepEqual([train.samples, test.samples], [1, 1]);
});

test("circle: every option has a default within its own bounds", () => {
  for (const { default: value, ...rule } of Object.values(circle.options)) {
    if (rule.kind !== "number" && rule.kind !== "integer") continue;
    const number = value as number;
    assert.ok(number >= (rule.minimum ?? -Infinity) && number <= (rule.maximum ?? Infinity));
    assert.ok(number > (rule.exclusiveMinimum ?? -Infinity));
    assert.ok(number < (rule.exclusiveMaximum ?? Infinity));
  }
});

test("digest: the default circle's never changes, and other options have another", () => {
  assert.equal(splitsDigest(circle.make(options)), DEFAULT_DIGEST);
  for (const other of [
    { seed: 1 },
    { standardised: false },
    { radius: 0.5 },
    { trainFraction: 0.8 },
  ]) {
    assert.notEqual(splitsDigest(circle.make({ ...options, ...other })), DEFAULT_DIGEST);
  }
});

test("data sets: made by name with their digest, and an unknown name is an invalid task", () => {
  assert.equal(makeDataSet("circle", options).digest, DEFAULT_DIGEST);
  assert.equal(makeDataSet("circle", { ...options, samples: 10 }).train.samples, 9);
  for (const [name, definition] of Object.entries(dataSets)) assert.equal(definition.name, name);
  for (const unknown of ["square", "toString"]) {
    assert.throws(() => dataSet(unknown), { name: "InvalidTaskError" });
  }
});

/** As first made; the same on every machine and every version of this program and of Node. */
const DEFAULT_DIGEST = "sha256:6ca4a91cad84b1b2e38e6157748d4a3e40a5ce993e21caa9333b2c77c21a9cc0";
