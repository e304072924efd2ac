import assert from "node:assert/strict";
import { test } from "node:test";
import { analyses } from "../../shared/analyses/registry.ts";
import type {
  AnalysisResult,
  AnalysisTask,
  FieldResult,
  FieldTask,
  TrainTask,
} from "../../shared/messages.ts";
import { fieldTaskFixture } from "../../shared/testing/task-fixture.ts";
import { resultFault } from "../run/result-fault.ts";

const provenance = { worker: "w", engine: "test.1", version: "0", attempt: 1, seconds: 0 };
const tile = { column: 0, row: 0, columns: 3, rows: 2 };
const task: FieldTask = { ...fieldTaskFixture("f"), tile };
const layered: FieldTask = {
  ...task,
  network: { ...task.network, hidden: [2, 2] },
  grid: { ...task.grid, layers: "all" },
};

function result(lambda1: number, output: number): FieldResult {
  const fields = {
    lambda1: new Float32Array(lambda1),
    direction: new Float32Array(lambda1),
    output: new Float32Array(output),
  };
  return { kind: "field", task: "f", cell: "c", provenance, ...fields };
}

test("result fault: a tile has as many values as its task has points and layers", () => {
  assert.equal(resultFault(task, result(6, 6)), null);
  assert.equal(resultFault(layered, result(12, 6)), null);
  assert.match(resultFault(task, result(12, 6)) ?? "", /expected 6 values of lambda1, got 12/);
  assert.match(resultFault(layered, result(12, 12)) ?? "", /expected 6 values of output, got 12/);
});

test("result fault: a tile over a plane has the exponents within it, too", () => {
  const plane = { axes: [0, 1], at: [0, 0, 0] } as const;
  const inPlane: FieldTask = { ...task, grid: { ...task.grid, plane } };
  assert.match(resultFault(inPlane, result(6, 6)) ?? "", /expected 6 values of lambda2, got 0/);
  const more = { lambda2: new Float32Array(6), planeLambda1: new Float32Array(6) };
  assert.equal(resultFault(inPlane, { ...result(6, 6), ...more }), null);
});

test("result fault: an analysis has the columns and arrays of its description, of the shapes that it says", () => {
  const { weights } = analyses;
  const analysis = { name: "weights", version: weights!.version, options: {} };
  const { grid: _, tile: __, ...rest } = task;
  const data = { name: "circle", options: {}, digest: task.weights };
  const asked: AnalysisTask = {
    ...rest,
    kind: "analysis",
    analysis,
    data,
    targets: "sign",
    loss: "squared-error",
  };
  const columns = Object.fromEntries(weights!.columns.map(({ name }) => [name, 1]));
  const arrays = [
    { name: "singularValues", shape: [2, 3] },
    { name: "norm", shape: [2] },
    { name: "effectiveRank", shape: [2] },
  ];
  const values = new Float32Array(10);
  const good = {
    kind: "analysis",
    task: "f",
    cell: "c",
    columns,
    arrays,
    values,
    provenance,
  } as const;
  assert.equal(resultFault(asked, good), null);
  const faultOf = (change: Partial<AnalysisResult>) =>
    resultFault(asked, { ...good, ...change }) ?? "";
  assert.match(faultOf({ values: new Float32Array(9) }), /expected 10 values of its arrays, got 9/);
  assert.match(faultOf({ columns: { norm: 1 } }), /expected the columns norm,.*, got norm/);
  assert.match(faultOf({ arrays: arrays.slice(1) }), /expected the arrays singularValues,norm/);
  const flat = [{ name: "singularValues", shape: [6] }, ...arrays.slice(1)];
  assert.match(faultOf({ arrays: flat }), /expected 2 dimensions of singularValues, got 1/);
});

test("result fault: kind, cell and engine are those of the task", () => {
  const good = result(6, 6);
  const train = { ...good, kind: "train" } as never;
  assert.match(resultFault(task, train) ?? "", /kind field, got train/);
  assert.match(resultFault(task, { ...good, cell: "d" }) ?? "", /cell c, got d/);
  const other = { ...good, provenance: { ...provenance, engine: "other.1" } };
  assert.match(resultFault(task, other) ?? "", /engine test.1, got other.1/);
});

test("result fault: a training has weights of every snapshot, unless it diverged", () => {
  const physics = { training: { snapshots: [0, "end"] } };
  const training = { ...task, kind: "train", physics } as unknown as TrainTask;
  const weights = [{ snapshot: 0, epoch: 0, digest: "", bytes: 1 }];
  const made = { kind: "train", cell: "c", provenance, status: "trained", weights } as never;
  assert.match(resultFault(training, made) ?? "", /none for end/);
  assert.equal(resultFault(training, { ...(made as object), status: "diverged" } as never), null);
});
