import assert from "node:assert/strict";
import { test } from "node:test";
import type { FieldResult, FieldTask, TrainTask } from "../../shared/messages.ts";
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
