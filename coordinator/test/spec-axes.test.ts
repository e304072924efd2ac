import assert from "node:assert/strict";
import { test } from "node:test";
import type { CellPhysics, Initialisation } from "../../shared/cell.ts";
import { planSweep } from "../plan/plan.ts";
import { namedParameters } from "../results/picture-axes.ts";
import { axisNamed, axisNames } from "../spec/axis-names.ts";
import { combinations } from "../spec/enumerate.ts";
import { PARAMETERS } from "../spec/parameters.ts";
import { parseSweep } from "../spec/parse-sweep.ts";
import type { Sweep } from "../spec/sweep.ts";

function sweepOf(text: string): Sweep {
  const parsed = parseSweep(text, { file: "a.yaml" });
  assert.ok("sweep" in parsed, JSON.stringify(parsed));
  return parsed.sweep;
}

/** `path: expected, found` of every fault. */
function faultsOf(text: string): string[] {
  const parsed = parseSweep(text, { file: "a.yaml" });
  assert.ok("faults" in parsed, "no fault was found");
  return parsed.faults.map(({ path, expected, found }) => `${path}: ${expected}, found ${found}`);
}

const AXES = "width: 4, depth: 2, ";
const physicsOf = (sweep: Sweep) => planSweep(sweep, "e.1").cells.map(({ physics }) => physics);

test("parameters: every scalar and name of network, data and training is one, lists are not", () => {
  const paths = [...PARAMETERS.keys()];
  for (const path of [
    ...["network.activation", "network.outputActivation", "network.thresholdVariance"],
    ...["data.name", "data.samples", "data.radius", "data.standardised", "data.seed"],
    ...["training.optimizer", "training.optimizer.momentum", "training.optimizer.beta2"],
    ...["training.learningRate", "training.schedule", "training.schedule.warmup"],
    ...["training.loss", "training.batch", "training.epochs", "training.weightDecay"],
    ...["training.freeze", "training.stopAtAccuracy"],
  ]) {
    assert.ok(paths.includes(path), path);
  }
  assert.ok(!paths.some((path) => path.startsWith("training.snapshots")));
  assert.equal(PARAMETERS.get("training.batch")?.kind, "integer");
  assert.equal(PARAMETERS.get("training.optimizer")?.kind, "name");
  assert.equal(PARAMETERS.get("data.standardised")?.kind, "boolean");
});

test("axis names: the last part of a path is enough unless it is reserved or another path ends with it", () => {
  const paths = ["training.batch", "data.seed", "training.learningRate"];
  assert.deepEqual([...axisNames(paths).values()], ["batch", "data.seed", "learningRate"]);
  const both = [...paths, "training.optimizer.learningRate"];
  assert.equal(axisNames(both).get("training.learningRate"), "training.learningRate");
  assert.equal(axisNamed("batch", both), "training.batch");
  assert.equal(axisNamed("training.batch", both), "training.batch");
  assert.equal(axisNamed("learningRate", both), undefined);
});

test("axes: numbers take every form, names and truth values are listed", () => {
  const { axes } = sweepOf(`axes: {${AXES}
    training.learningRate: {logspace: {from: 0.001, to: 0.1, count: 3}},
    training.batch: {from: 10, to: 30, step: 10},
    training.epochs: 1..3,
    training.weightDecay: 0.5,
    network.activation: [tanh, relu],
    data.standardised: true}`);
  assert.deepEqual(axes.parameters, [
    { path: "network.activation", values: ["tanh", "relu"] },
    { path: "data.standardised", values: [true] },
    { path: "training.learningRate", values: [0.001, 0.01, 0.1] },
    { path: "training.batch", values: [10, 20, 30] },
    { path: "training.epochs", values: [1, 2, 3] },
    { path: "training.weightDecay", values: [0.5] },
  ]);
});

test("axes: a value from an axis gives the cell ids that it has when it is written in its section", () => {
  const axes = `${AXES} training.batch: [20, 50], training.optimizer: [sgd, adam], data.radius: [0.6, 0.8]`;
  const ids = planSweep(sweepOf(`axes: {${axes}}\ndata: {name: circle, samples: 90}`), "e.1")
    .cells.map(({ id }) => id)
    .sort();
  const alone = ["20", "50"].flatMap((batch) =>
    ["sgd", "adam"].flatMap((optimizer) =>
      ["0.6", "0.8"].map((radius) => {
        const text = `axes: {${AXES}}
training: {batch: ${batch}, optimizer: ${optimizer}}
data: {name: circle, samples: 90, radius: ${radius}}`;
        return planSweep(sweepOf(text), "e.1").cells[0]!.id;
      }),
    ),
  );
  assert.deepEqual(ids, alone.sort());
});

test("axes: defaults follow from the values that are put in", () => {
  const [sgd, adam] = physicsOf(sweepOf(`axes: {${AXES} training.optimizer: [sgd, adam]}`));
  assert.equal(sgd!.training.optimizer.learningRate, 0.05);
  assert.equal(adam!.training.optimizer.learningRate, 0.001);
  const [tanh, relu] = physicsOf(sweepOf(`axes: {${AXES} network.activation: [tanh, relu]}`));
  const varianceOf = ({ initialisation }: CellPhysics) =>
    (initialisation as Initialisation).weightVariance;
  assert.equal(varianceOf(relu!), 2 * varianceOf(tanh!));
});

test("axes: options of an optimizer and a schedule are put into its map", () => {
  const [still, moved] = physicsOf(
    sweepOf(`axes: {${AXES} training.optimizer.momentum: [0, 0.9]}\ntraining: {learningRate: 0.2}`),
  );
  assert.deepEqual(still!.training.optimizer, { name: "sgd", learningRate: 0.2, momentum: 0 });
  assert.deepEqual(moved!.training.optimizer, { name: "sgd", learningRate: 0.2, momentum: 0.9 });
  const [none, some] = physicsOf(
    sweepOf(`axes: {${AXES} training.schedule.warmup: [0, 1]}\ntraining: {schedule: constant}`),
  );
  assert.equal(none!.training.schedule, undefined);
  assert.deepEqual(some!.training.schedule, { name: "constant", warmup: 1 });
});

test("axes: data sets of different options each have their own digest and samples", () => {
  const sweep = sweepOf(`axes: {${AXES} data.samples: [50, 80]}`);
  const { cells } = planSweep(sweep, "e.1");
  assert.deepEqual(cells.map(({ samples }) => samples.train + samples.test).sort(), [50, 80]);
  assert.notEqual(cells[0]!.physics.data.digest, cells[1]!.physics.data.digest);
});

test("axes: constraints use them by name or path, and compare names", () => {
  const text = (where: string) => `axes: {${AXES} training.batch: [20, 50], data.seed: [1, 2],
    training.optimizer: [sgd, adam], data.standardised: [true, false]}
field: none
where: ${where}`;
  const kept = (where: string) =>
    [...combinations(sweepOf(text(where)))].map((point) => Object.values(namedParameters(point)));
  assert.equal(kept("seed == 0").length, 16);
  assert.ok(kept('optimizer == "adam" and batch > 20').every((v) => v.includes("adam")));
  assert.equal(kept("training.batch > 20 and data.seed < 2").length, 4);
  assert.equal(kept('optimizer != "adam" and standardised').length, 4);
  assert.deepEqual(faultsOf(text('optimizer == "adm"')), [
    'where: one of `sgd`, `adam`, found "adm"',
  ]);
  assert.deepEqual(faultsOf(text("optimizer < 3")), ["where: a number before `<`, found a name"]);
  assert.deepEqual(faultsOf(text("optimizer == 3")), ["where: a name after `==`, found a number"]);
});

test("axes: they are zipped by name or path", () => {
  const sweep = sweepOf(`axes: {width: [4, 5], depth: 2, training.batch: [20, 50]}
zip: [width, batch]`);
  const pairs = [...combinations(sweep)].map(({ width, parameters }) => [width, parameters]);
  assert.deepEqual(pairs, [
    [4, { "training.batch": 20 }],
    [5, { "training.batch": 50 }],
  ]);
  assert.deepEqual(sweep.zip, [["width", "training.batch"]]);
});

const REFUSED: readonly [what: string, spec: string, faults: readonly string[]][] = [
  [
    "ratios of names",
    `axes: {${AXES} training.optimizer: {logspace: {from: 1, to: 2, count: 3}}}`,
    [
      "axes.training.optimizer: one of `sgd`, `adam`, `rmsprop`, or a list of them, found `{logspace: {from: 1, to: 2, count: 3}}`",
    ],
  ],
  [
    "a value that its section would refuse",
    `axes: {${AXES} training.batch: [20, 0]}`,
    ["axes.training.batch[1]: an integer from 1 to 1000000, found `0`"],
  ],
  [
    "an option in its section, too",
    `axes: {${AXES} training.batch: [20, 50]}\ntraining: {batch: 7}`,
    ['training.batch: `training.batch` here or in `axes`, not both, found "batch"'],
  ],
  [
    "an option that one of the names does not have",
    `axes: {${AXES} training.optimizer: [sgd, adam], training.optimizer.momentum: [0, 0.9]}`,
    [
      "axes.training.optimizer.momentum: one of `name`, `learningRate`, `beta1`, `beta2`, `epsilon` (with training.optimizer adam), found `momentum`",
    ],
  ],
  [
    "a snapshot beyond one of the lengths",
    `axes: {${AXES} training.epochs: [2, 9]}\ntraining: {snapshots: [5]}`,
    ["training.snapshots[0]: an epoch ≤ 2, the `epochs` of the training, found `5`"],
  ],
  [
    "a loss that the data set does not have",
    `axes: {${AXES} training.loss: [squared-error, binary-cross-entropy], data.classes: [2, 3]}\ndata: {name: rings}`,
    [
      "axes.training.loss: one of `squared-error`, `softmax-cross-entropy`, as data set `rings` has 3 classes, found `binary-cross-entropy`",
    ],
  ],
  [
    "data sets of different squares, without a region",
    `axes: {${AXES} data.standardised: [true, false]}`,
    [
      "axes.data.standardised: a `region` in `field`, because the data sets have different ones, found none",
    ],
  ],
  [
    "a value twice",
    `axes: {${AXES} training.optimizer: [sgd, adam, sgd]}`,
    ['axes.training.optimizer[2]: no value twice, found `"sgd"` again'],
  ],
  [
    "gains that are one variance",
    `axes: {${AXES} weightVariance: {logGain: [0.3, 0.30000000000000004]}}`,
    ["axes.weightVariance.logGain[1]: no value twice, found `0.30000000000000004` again"],
  ],
  [
    "ratios that rounding makes equal",
    `axes: {${AXES} weightVariance: {logspace: {from: 1, to: 1.0000000000001, count: 5}}}`,
    ["axes.weightVariance: no value twice, found `1` again"],
  ],
  [
    "steps that are too small to change the first value",
    `axes: {${AXES} weightVariance: {from: 1, to: 1.0000000000000005, step: 1.0e-16}}`,
    ["axes.weightVariance: no value twice, found `1` again"],
  ],
  [
    "seeds beyond the last integer",
    `axes: {${AXES} seed: {count: 2, from: 9007199254740991}}`,
    [
      "axes.seed.count: so many seeds from `from` on that the last is at most 9007199254740991, found `2`",
    ],
  ],
  [
    "a network that is too large for any memory",
    "axes: {width: 100000, depth: 2}",
    [
      "axes.width: networks of at most 134,217,728 weights and thresholds, found 10,000,400,001 (width 100000, depth 2)",
    ],
  ],
];

for (const [what, spec, faults] of REFUSED) {
  test(`axes: refused: ${what}`, () => {
    assert.deepEqual(faultsOf(spec), faults);
  });
}

test("axes: combinations that constraints exclude may have faults", () => {
  const sweep = sweepOf(`axes: {${AXES} training.optimizer: [sgd, adam],
  training.loss: [squared-error, softmax-cross-entropy]}
where: loss == "squared-error"`);
  assert.equal([...combinations(sweep)].length, 2);
  const large = sweepOf("axes: {width: [10, 100000], depth: [1, 2]}\nwhere: width * depth < 2e5");
  assert.equal([...combinations(large)].length, 3);
});

test("axes: ends of any size give finite values, and small ones themselves", () => {
  const wide = sweepOf(
    `axes: {${AXES} weightVariance: {logspace: {from: 1.0e-200, to: 1.0e+200, count: 5}}}`,
  );
  assert.deepEqual(wide.axes.weightVariance.values, [1e-200, 1e-100, 1, 1e100, 1e200]);
  const small = sweepOf(`axes: {${AXES} weightVariance: {from: 1.0e-101, to: 1.0e-101, step: 1}}`);
  assert.deepEqual(small.axes.weightVariance.values, [1e-101]);
});

test("axes: what decides which content is read from files cannot be one", () => {
  const text = `axes: {${AXES} data.targets: [classes, values]}\ndata: {name: file, path: a.csv, target: k}`;
  const parsed = parseSweep(text, { file: "a.yaml" });
  assert.match(JSON.stringify(parsed), /data\.targets/);
  assert.ok("faults" in parsed);
});
