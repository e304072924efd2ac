import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../shared/errors.ts";
import { latticeOf, placesIn } from "../results/export/lattice.ts";
import { parseSweep } from "../spec/parse-sweep.ts";

function dimensions(axes: string, more = "") {
  const parsed = parseSweep(`axes: {${axes}}\ndata: {name: circle}\nfield: none\n${more}`, {
    file: "a",
  });
  if ("faults" in parsed) assert.fail(JSON.stringify(parsed.faults));
  return latticeOf(parsed.sweep);
}

test("latticeOf: a gain axis is a dimension of gains, the snapshots are the last dimension", () => {
  assert.deepEqual(dimensions("width: [50, 10], depth: 2", "training: {snapshots: [0, 5, end]}"), [
    { name: "logGain", labels: [0] },
    { name: "seed", labels: [0] },
    { name: "width", labels: [50, 10] },
    { name: "depth", labels: [2] },
    { name: "snapshot", labels: ["0", "5", "end"] },
  ]);
});

test("latticeOf: explicit layers are one dimension of labels", () => {
  const [variance, , hidden] = dimensions("hidden: [[5, 4], [7]], weightVariance: [0.1, 0.2]");
  assert.deepEqual(variance, { name: "weightVariance", labels: [0.1, 0.2] });
  assert.deepEqual(hidden, { name: "hidden", labels: ["5-4", "7"] });
});

test("latticeOf: a value that occurs twice on a zipped axis is one label", () => {
  const lattice = dimensions("width: [5, 5, 9], depth: [1, 2, 1]", "zip: [width, depth]");
  assert.deepEqual(lattice[2]!.labels, [5, 9]);
  assert.deepEqual(lattice[3]!.labels, [1, 2]);
});

test("latticeOf: refuses an array that zipped axes make far larger than the sweep", () => {
  const axes = "width: 1..400, depth: 1..400, seed: {count: 400}";
  assert.throws(() => dimensions(axes, "zip: [width, depth, seed]"), {
    name: UsageError.name,
    message: /400 of seed × 400 of width × 400 of depth/,
  });
});

test("placesIn: finds a row by its values", () => {
  const placeOf = placesIn(dimensions("width: [50, 10], depth: [2, 4], seed: [7, 3]"));
  const row = { logGain: 0, seed: 3, width: 10, depth: 2, snapshot: "end" };
  assert.deepEqual(placeOf(row), [0, 1, 1, 0, 0]);
});
