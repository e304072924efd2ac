import assert from "node:assert/strict";
import { test } from "node:test";
import { circle } from "../../shared/datasets/circle.ts";
import { defaultOptions } from "../../shared/datasets/data-set.ts";
import { parseSweep } from "../spec/parse-sweep.ts";
import type { Sweep } from "../spec/sweep.ts";

test("spec: everything except width and depth has a default", () => {
  const options = defaultOptions(circle);
  assert.deepEqual(sweepOf("axes: {width: 10, depth: 2}", "specs/my first sweep.yaml"), {
    name: "my first sweep",
    axes: {
      layers: { kind: "lattice", width: [10], depth: [2] },
      weightVariance: { kind: "logGain", values: [0] },
      seed: [0],
    },
    zip: [],
    where: [],
    network: { activation: "tanh", outputActivation: "tanh" },
    thresholdVariance: 0,
    data: { name: "circle", options },
    training: {
      optimizer: { name: "sgd", learningRate: 0.05, momentum: 0 },
      loss: "squared-error",
      batch: 128,
      epochs: 12,
      weightDecay: 0,
      freeze: "none",
      stopAtAccuracy: null,
      snapshots: ["end"],
    },
    field: { region: circle.region(options, undefined), points: 256, layers: "last", tile: "auto" },
    engine: "auto",
  });
});

test("spec: what is written replaces the defaults", () => {
  const sweep = sweepOf(`
name: fig2
axes:
  hidden: [[50, 25, 50], [25, 25]]
  weightVariance: [0.01, 0.02]
  seed: [7, 3]
where: width > 20
zip: [hidden, weightVariance]
network: {activation: relu, outputActivation: linear, thresholdVariance: 0.25}
data: {name: circle, samples: 1000, trainFraction: 0.5, radius: 0.5, standardised: false, seed: 9}
training:
  optimizer: {name: adam, beta1: 0.5}
  batch: 32
  epochs: 40
  weightDecay: 0.001
  freeze: hidden
  stopAtAccuracy: 0.98
field: {region: {x: [0, 1], y: [-2, 2.5]}, points: 100, layers: all, tile: 64}
engine: reference
`);
  assert.deepEqual(sweep, {
    name: "fig2",
    axes: {
      layers: {
        kind: "explicit",
        hidden: [
          [50, 25, 50],
          [25, 25],
        ],
      },
      weightVariance: { kind: "absolute", values: [0.01, 0.02] },
      seed: [7, 3],
    },
    zip: [["hidden", "weightVariance"]],
    where: ["width > 20"],
    network: { activation: "relu", outputActivation: "linear" },
    thresholdVariance: 0.25,
    data: {
      name: "circle",
      options: { samples: 1000, trainFraction: 0.5, radius: 0.5, standardised: false, seed: 9 },
    },
    training: {
      optimizer: { name: "adam", learningRate: 0.001, beta1: 0.5, beta2: 0.999, epsilon: 1e-8 },
      loss: "squared-error",
      batch: 32,
      epochs: 40,
      weightDecay: 0.001,
      freeze: "hidden",
      stopAtAccuracy: 0.98,
      snapshots: ["end"],
    },
    field: { region: { x: [0, 1], y: [-2, 2.5] }, points: 100, layers: "all", tile: 64 },
    engine: "reference",
  });
});

const AXIS_FORMS: readonly [written: string, values: readonly number[]][] = [
  ["8", [8]],
  ["[8, 2, 4]", [8, 2, 4]],
  ["3..6", [3, 4, 5, 6]],
  ["5..5", [5]],
  ["{from: 3, to: 5}", [3, 4, 5]],
  ["{from: 1, to: 9, step: 3}", [1, 4, 7]],
  ["{logspace: {from: 10, to: 250, count: 3}}", [10, 50, 250]],
  ["{logspace: {from: 1, to: 100, count: 4}}", [1, 5, 22, 100]],
];

for (const [written, values] of AXIS_FORMS) {
  test(`spec axes: width ${written} is ${values.join(", ")}`, () => {
    const { layers } = sweepOf(`axes: {width: ${written}, depth: 1}`).axes;
    assert.ok(layers.kind === "lattice");
    assert.deepEqual(layers.width, values);
  });
}

const VARIANCE_FORMS: readonly [
  written: string,
  axis: { kind: "absolute" | "logGain"; values: readonly number[] },
][] = [
  ["critical", { kind: "logGain", values: [0] }],
  ["0.004", { kind: "absolute", values: [0.004] }],
  ["{from: 0.1, to: 0.5, step: 0.1}", { kind: "absolute", values: [0.1, 0.2, 0.3, 0.4, 0.5] }],
  [
    "{logspace: {from: 0.001, to: 0.1, count: 3}}",
    { kind: "absolute", values: [0.001, 0.01, 0.1] },
  ],
  ["{logGain: -0.2}", { kind: "logGain", values: [-0.2] }],
  ["{logGain: -1..1}", { kind: "logGain", values: [-1, 0, 1] }],
  [
    "{logGain: {from: -0.3, to: 0.3, step: 0.15}}",
    { kind: "logGain", values: [-0.3, -0.15, 0, 0.15, 0.3] },
  ],
];

for (const [written, axis] of VARIANCE_FORMS) {
  test(`spec axes: weightVariance ${written} is ${axis.kind} ${axis.values.join(", ")}`, () => {
    const text = `axes: {width: 10, depth: 2, weightVariance: ${written}}`;
    assert.deepEqual(sweepOf(text).axes.weightVariance, axis);
  });
}

test("spec axes: seeds are counted from 0, or from where the spec says", () => {
  const seeds = (written: string) =>
    sweepOf(`axes: {width: 1, depth: 1, seed: ${written}}`).axes.seed;
  assert.deepEqual(seeds("{count: 3}"), [0, 1, 2]);
  assert.deepEqual(seeds("{count: 3, from: 40}"), [40, 41, 42]);
});

test("spec axes: values may repeat along a zipped axis, if the zipped values do not repeat together", () => {
  const sweep = sweepOf("axes: {width: [10, 10, 20], depth: [2, 4, 4]}\nzip: [[width, depth]]");
  assert.deepEqual(sweep.zip, [["width", "depth"]]);
});

test("spec training: snapshots are put in order of time, each once", () => {
  const text = "axes: {width: 1, depth: 1}\ntraining: {snapshots: [end, 10, 0, 10, 12]}";
  assert.deepEqual(sweepOf(text).training.snapshots, [0, 10, 12, "end"]);
});

test("spec training: an optimizer by name takes the learning rate beside it, or its own default", () => {
  const optimizer = (training: string) =>
    sweepOf(`axes: {width: 1, depth: 1}\ntraining: ${training}`).training.optimizer;
  const rmsprop = { name: "rmsprop", decay: 0.9, epsilon: 1e-8 };
  assert.deepEqual(optimizer("{optimizer: rmsprop}"), { ...rmsprop, learningRate: 0.001 });
  assert.deepEqual(optimizer("{optimizer: rmsprop, learningRate: 0.1}"), {
    ...rmsprop,
    learningRate: 0.1,
  });
});

test("spec field: none asks for trainings only", () => {
  assert.equal(sweepOf("axes: {width: 1, depth: 1}\nfield: none").field, null);
});

test("spec field: the default region is the square of the data as they are asked for", () => {
  const { field } = sweepOf(
    "axes: {width: 1, depth: 1}\ndata: {name: circle, standardised: false}",
  );
  assert.deepEqual(field?.region, { x: [-1, 1], y: [-1, 1] });
});

test("spec name: a file's name that a sweep may not have is adapted", () => {
  const name = (file: string) => sweepOf("axes: {width: 1, depth: 1}", file).name;
  assert.equal(name("/tmp/λ₁ of (deep) nets.sweep.yaml"), "λ₁ of -deep- nets.sweep");
  assert.equal(name("...yaml"), "sweep");
});

function sweepOf(text: string, file = "spec.yaml"): Sweep {
  const parsed = parseSweep(text, { file });
  assert.ok("sweep" in parsed, "faults" in parsed ? JSON.stringify(parsed.faults) : "");
  return parsed.sweep;
}
