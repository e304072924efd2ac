import assert from "node:assert/strict";
import { test } from "node:test";
import type { CellPhysics } from "../../shared/cell.ts";
import { defaultOptions } from "../../shared/datasets/data-set.ts";
import { dataSet, makeDataSet } from "../../shared/datasets/registry.ts";
import { digestOf } from "../../shared/identity.ts";
import type { FieldTask } from "../../shared/messages.ts";
import { encodeWeights } from "../../shared/safetensors.ts";
import { fieldTaskFixture } from "../../shared/testing/task-fixture.ts";
import { referenceEngine } from "../engines/reference.ts";
import { computeTile } from "../tasks/field.ts";
import { progressOver } from "../tasks/progress.ts";
import { train } from "../tasks/train.ts";

const options = { ...defaultOptions(dataSet("circle")), samples: 600 };

const PHYSICS: CellPhysics = {
  data: { name: "circle", options, digest: makeDataSet("circle", options).digest },
  network: {
    inputs: 2,
    hidden: [7, 5, 3],
    outputs: 1,
    activation: "tanh",
    outputActivation: "tanh",
  },
  initialisation: { weightVariance: 0.2, thresholdVariance: 0.1 },
  training: {
    loss: "squared-error",
    optimizer: { name: "sgd", learningRate: 0.05, momentum: 0.5 },
    batch: 16,
    epochs: 3,
    weightDecay: 1e-4,
    freeze: "none",
    stopAtAccuracy: null,
    snapshots: [0, 2, "end"],
  },
  seed: 3,
  engine: referenceEngine.id,
};

const trained = (physics = PHYSICS) =>
  train(physics, referenceEngine, { progress: progressOver() });

test("same bytes: a training and a field are those of every machine and version of Node", () => {
  const { snapshots } = trained();
  const digests = snapshots.map(({ weights }) => digestOf(encodeWeights(weights, {})).slice(7, 19));
  assert.deepEqual(digests, TRAINED);
  const grid = { region: { x: [-2, 2], y: [-1, 1] }, points: 20, layers: "all" } as const;
  const tile = { column: 3, row: 2, columns: 15, rows: 17 };
  const task: FieldTask = { ...fieldTaskFixture("f"), network: PHYSICS.network, grid, tile };
  const field = computeTile(task, {
    weights: snapshots.at(-1)!.weights,
    engine: referenceEngine,
    progress: progressOver(),
  });
  const arrays = [field.lambda1, field.direction, field.output];
  assert.deepEqual(
    arrays.map((array) => digestOf(new Uint8Array(array.buffer)).slice(7, 19)),
    FIELD,
  );
});

test("training: a longer one begins as the shorter one did", () => {
  const longer = { ...PHYSICS, training: { ...PHYSICS.training, epochs: 5 } };
  const { history, snapshots } = trained();
  assert.deepEqual(trained(longer).history.trainLoss.slice(0, 3), history.trainLoss);
  assert.deepEqual(trained(longer).snapshots.slice(0, 2), snapshots.slice(0, 2));
});

test("training: stops after the epoch that is accurate enough, and has every snapshot all the same", () => {
  const training = {
    ...PHYSICS.training,
    epochs: 40,
    stopAtAccuracy: 0.95,
    snapshots: [0, 39, "end"] as const,
  };
  const { epochs, history, snapshots, status } = trained({ ...PHYSICS, training });
  assert.equal(status, "trained");
  assert.ok(epochs > 1 && epochs < 39, `${epochs} epochs`);
  assert.ok(history.testAccuracy.at(-1)! >= 0.95);
  assert.ok(history.testAccuracy.slice(1, -1).every((accuracy) => accuracy < 0.95));
  assert.deepEqual(
    snapshots.map(({ snapshot, epoch }) => [snapshot, epoch]),
    [
      [0, 0],
      [39, epochs],
      ["end", epochs],
    ],
  );
  assert.deepEqual(snapshots[1]!.weights, snapshots[2]!.weights);
});

test("training: every epoch's loss and accuracy are those of its own samples", () => {
  const optimizer = { name: "sgd", learningRate: 0, momentum: 0 } as const;
  const { history } = trained({ ...PHYSICS, training: { ...PHYSICS.training, optimizer } });
  for (const series of Object.values(history)) {
    // The samples' order, and with it rounding, is another in every epoch.
    for (const value of series) assert.ok(Math.abs(value - series[0]!) < 1e-12);
  }
});

test("training: no epochs leave the initial weights", () => {
  const training = { ...PHYSICS.training, epochs: 0, snapshots: [0, "end"] as const };
  const { snapshots, history } = trained({ ...PHYSICS, training });
  assert.deepEqual(snapshots[0]!.weights, snapshots[1]!.weights);
  assert.equal(history.testLoss.length, 1);
});

for (const activation of ["tanh", "relu"] as const) {
  test(`training: runs away with ${activation} at learning rate 100, and is told to have diverged`, () => {
    const outputActivation = activation === "relu" ? "linear" : "tanh";
    const network = { ...PHYSICS.network, activation, outputActivation } as const;
    const optimizer = { name: "sgd", learningRate: 100, momentum: 0 } as const;
    const training = { ...PHYSICS.training, optimizer, weightDecay: 0 };
    const { status, reason } = trained({ ...PHYSICS, network, training });
    assert.equal(status, "diverged");
    assert.match(reason, activation === "relu" ? /not finite in epoch/ : /a constant output has/);
  });
}

test("training: a data set other than the task means is refused", () => {
  const data = { ...PHYSICS.data, digest: `sha256:${"0".repeat(64)}` };
  assert.throws(() => trained({ ...PHYSICS, data }), { name: "InvalidTaskError" });
});

test("training: stops between slices when asked", () => {
  const progress = progressOver();
  progress.stop();
  assert.throws(() => train(PHYSICS, referenceEngine, { progress }), { name: "StoppedError" });
});

const TRAINED = ["9710dde5bf42", "87cb8be92d27", "3962c4547c7a"];
const FIELD = ["f4dd67e5e139", "ee1623bea4fb", "0bdcb46e4666"];
