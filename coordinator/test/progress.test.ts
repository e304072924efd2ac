import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalJson } from "../../shared/canonical-json.ts";
import { costModel } from "../plan/cost.ts";
import { overheadEstimate } from "../plan/overhead.ts";
import type { Plan } from "../plan/plan.ts";
import { planSweep } from "../plan/plan.ts";
import type { Job } from "../run/backlog.ts";
import { createBacklog } from "../run/backlog.ts";
import { remainingLoad } from "../run/load.ts";
import { followRun } from "../run/progress.ts";
import { parseSweep } from "../spec/parse-sweep.ts";
import type { CellRecord } from "../store/cell-record.ts";
import { fieldStatistics } from "../store/field-statistics.ts";
import type { StoreState } from "../store/scan.ts";
import { untouched } from "../store/scan.ts";

function plan(text: string): Plan {
  const parsed = parseSweep(text, { file: "test.yaml" });
  assert.ok("sweep" in parsed);
  return planSweep(parsed.sweep, "test.1");
}

const PLAN = plan(`
axes: {width: [5, 10], depth: 2}
data: {name: circle, samples: 100}
training: {epochs: 2}
field: {points: 64, tile: 32}
`);

function nothingStored({ cells }: Plan, dead: readonly string[] = []): StoreState {
  const states = cells.map(untouched);
  return { cells: states, dead: new Set(dead), damaged: [] };
}

const STORED = { kind: "stored", attempt: 1, storeSeconds: 0 } as const;
const RATES = { train: 1e6, field: 1e6 };
/** Results cost nothing. */
const FREE = { training: 0, tile: 0, point: 0 };

test("cost: starts with the measured rates and learns from finished tasks", () => {
  const model = costModel({ train: 1e6, field: 2e6 });
  assert.equal(model.seconds({ train: 3e6, field: 4e6, analysis: 0 }), 5);
  const done = {
    trainings: 1,
    tiles: 0,
    analyses: 0,
    points: 0,
    work: { train: 1e6, field: 0, analysis: 0 },
  };
  model.finished(done, 10_000); // far slower than measured
  assert.ok(model.seconds({ train: 1e6, field: 0, analysis: 0 }) > 1000);
  assert.equal(model.seconds({ train: 0, field: 2e6, analysis: 0 }), 1);
});

test("progress: time left is the remaining work divided by the threads", () => {
  const { work } = remainingLoad(PLAN, nothingStored(PLAN));
  const progress = followRun(PLAN, nothingStored(PLAN), {
    model: costModel(RATES, overheadEstimate(FREE)),
    threads: () => 2,
  });
  const report = progress.report([], 1);
  assert.equal(report.etaSeconds, (work.train + work.field) / 1e6 / 2);
  assert.equal(report.fraction, 0);
  assert.equal(report.tasksTotal, 2 + 2 * 4);
});

test("progress: one long task alone is waited for, however many threads there are", () => {
  const progress = followRun(PLAN, nothingStored(PLAN), {
    model: costModel(RATES, overheadEstimate(FREE)),
    threads: () => 1000,
  });
  const { task } = createBacklog(PLAN, nothingStored(PLAN)).next() as Job;
  const running = [{ task, worker: "w", attempt: 1, progress: 0.25, since: 0 }];
  assert.ok(Math.abs(progress.report(running, 1).etaSeconds - (0.75 * task.work) / 1e6) < 1e-9);
});

test("progress: long tasks correct the time left before the first of them has ended", () => {
  const { task } = createBacklog(PLAN, nothingStored(PLAN)).next() as Job;
  const rates = { train: task.work / 100, field: 1e9 }; // it takes 2 000 s, not 100
  const model = costModel(rates, overheadEstimate(FREE));
  const progress = followRun(PLAN, nothingStored(PLAN), { model, threads: () => 1 });
  const at = (done: number) => [{ task, worker: "w", attempt: 1, progress: done, since: 0 }];
  progress.report(at(0), 0);
  progress.report(at(0.5), 1_000);
  const { etaSeconds } = progress.report(at(0.5), 1_020); // no news since
  const { work } = remainingLoad(PLAN, nothingStored(PLAN));
  const expected = 2_000 * (work.train / task.work - 0.5);
  assert.ok(Math.abs(etaSeconds / expected - 1) < 0.15, `${etaSeconds} s, expected ${expected}`);
});

test("progress: everything stored, dropped or given up is everything", () => {
  const progress = followRun(PLAN, nothingStored(PLAN), {
    model: costModel(RATES, overheadEstimate(FREE)),
    threads: () => 2,
  });
  const backlog = createBacklog(PLAN, nothingStored(PLAN));
  const [first, second] = [backlog.next()!, backlog.next()!];
  progress.onEvent({ ...STORED, job: first, seconds: 1 });
  const record = { status: "diverged" } as CellRecord;
  progress.onEvent({ kind: "trained", cell: first.cell, record });
  const { id, sweep, cell, kind } = second.task;
  const reason = { name: "Error", message: "x" };
  const letter = { task: id, sweep, cell, kind, reason, worker: "w", attempts: 5 };
  progress.onEvent({ kind: "dead", job: second, letter });
  const report = progress.report([], 10);
  assert.deepEqual(
    { ...report, etaSeconds: Math.round(report.etaSeconds) },
    {
      tasksDone: 1,
      tasksTotal: 1,
      fraction: 1,
      trained: 0,
      diverged: 1,
      dead: 1,
      tasksPerSecond: 0.1,
      etaSeconds: 0,
    },
  );
});

test("backlog: hands out what is missing and not given up, each once", () => {
  const [first] = PLAN.cells;
  const backlog = createBacklog(PLAN, nothingStored(PLAN, [`train-${first!.id}`]));
  assert.equal(backlog.next()?.cell, PLAN.cells[1]);
  assert.equal(backlog.next(), undefined);
});

test("field statistics: mean, spread, centre and boundary of a known field", () => {
  const points = 20;
  const at = (i: number) => i - (points - 1) / 2;
  const x = Float32Array.from({ length: points * points }, (_, i) => at(i % points));
  const lambda1 = x.map((value) => (Math.abs(value) < 1 ? 5 : 1)); // two columns of 5
  const statistics = fieldStatistics({ lambda1, output: x, points });
  assert.deepEqual(statistics, {
    lambda1Mean: statistics.lambda1Mean,
    lambda1Std: statistics.lambda1Std,
    lambda1Min: 1,
    lambda1Max: 5,
    lambda1Centre: 5,
    lambda1Boundary: 5,
    notFinite: 0,
  });
  assert.ok(Math.abs(statistics.lambda1Mean! - 1.4) < 1e-12);
  assert.ok(Math.abs(statistics.lambda1Std! - 1.2) < 1e-12);
});

test("field statistics: points that are not finite are counted and left out; only the last layer counts", () => {
  const layers = new Float32Array([9, 9, 9, 9, 1, Number.NaN, 3, 2]);
  const { lambda1Mean, lambda1Boundary, notFinite } = fieldStatistics({
    lambda1: layers,
    output: new Float32Array([1, 1, 1, 1]),
    points: 2,
  });
  assert.deepEqual(
    { lambda1Mean, lambda1Boundary, notFinite },
    {
      lambda1Mean: 2,
      lambda1Boundary: null,
      notFinite: 1,
    },
  );
});

test("canonical JSON: does not depend on the order of keys, and refuses what JSON cannot represent", () => {
  assert.equal(
    canonicalJson({ b: [1, null, "x"], a: { d: true, c: -0.5 } }),
    '{"a":{"c":-0.5,"d":true},"b":[1,null,"x"]}',
  );
  for (const value of [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    undefined,
    { a: undefined },
    () => 1,
  ]) {
    assert.throws(() => canonicalJson(value), TypeError);
  }
});
