import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "prom-client";
import type { RunningTask } from "../../shared/transport/transport.ts";
import { coordinatorMetrics } from "../metrics/coordinator-metrics.ts";
import { addCrewMetrics } from "../metrics/crew-metrics.ts";
import { sweepMetrics } from "../metrics/sweep-metrics.ts";
import { SWEEP_STATES } from "../metrics/sweep-numbers.ts";
import { planSweep } from "../plan/plan.ts";
import type { Job } from "../run/backlog.ts";
import { createBacklog } from "../run/backlog.ts";
import { parseSweep } from "../spec/parse-sweep.ts";
import type { CellRecord } from "../store/cell-record.ts";
import type { StoreState } from "../store/scan.ts";
import { untouched } from "../store/scan.ts";

const parsed = parseSweep(
  `
axes: {width: [5, 10], depth: 2}
data: {name: circle, samples: 100}
training: {epochs: 2}
field: {points: 64, tile: 32}
`,
  { file: "test.yaml" },
);
assert.ok("sweep" in parsed);
const PLAN = planSweep(parsed.sweep, "test.1");
const EMPTY: StoreState = {
  cells: PLAN.cells.map(untouched),
  dead: new Set(),
  damaged: [],
};
const USUAL = { name: "s", plan: PLAN, state: EMPTY, damaged: 0, deadline: null, now: () => 5_000 };

/** A sample's value by its name and labels, as Prometheus would write it: `name{a="b"}`. */
async function valuesIn(registry: Registry): Promise<(sample: string) => number> {
  const text = await registry.metrics();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const values = new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
  return (sample) => values.get(sample) ?? Number.NaN;
}

function rig(options: Partial<typeof USUAL> = {}) {
  const registry = new Registry();
  const metrics = coordinatorMetrics(registry);
  return { registry, metrics, sweep: sweepMetrics(metrics, { ...USUAL, ...options }) };
}

test("metrics: every combination of a sweep's labels is exported from the start", async () => {
  const { registry } = rig();
  const value = await valuesIn(registry);
  for (const state of SWEEP_STATES) {
    assert.equal(value(`ftle_sweep_state{sweep="s",state="${state}"}`), +(state === "running"));
  }
  assert.equal(value('ftle_sweep_tasks{sweep="s",kind="train",state="pending"}'), 2);
  assert.equal(value('ftle_sweep_tasks{sweep="s",kind="field",state="pending"}'), 8);
  for (const state of ["leased", "done", "dead"]) {
    assert.equal(value(`ftle_sweep_tasks{sweep="s",kind="field",state="${state}"}`), 0);
  }
  assert.equal(value('ftle_sweep_cells{sweep="s",status="missing"}'), 2);
  assert.equal(value('ftle_sweep_task_duration_seconds_count{sweep="s",kind="train"}'), 0);
  assert.equal(value('ftle_sweep_cell_lambda1_mean_count{sweep="s"}'), 0);
  assert.equal(value('ftle_sweep_operations_done_total{sweep="s"}'), 0);
  assert.equal(value('ftle_sweep_last_progress_timestamp_seconds{sweep="s"}'), 5);
});

test("metrics: events and broker reports change tasks, cells, times and retries; totals stay the same", async () => {
  const { registry, sweep } = rig({ deadline: 99_000 as never });
  const backlog = createBacklog(PLAN, EMPTY);
  const [first, second] = [backlog.next()!, backlog.next()!] as const;
  sweep.onEvent(stored(first, { attempt: 3 }));
  sweep.onEvent({ kind: "trained", cell: first.cell, record: recordOf("trained", 0.97) });
  const leased = { task: second.task, worker: "w", attempt: 1, progress: 0, since: 0 };
  look([leased]);
  const value = await valuesIn(registry);
  const tasks = (state: string) => [
    value(`ftle_sweep_tasks{sweep="s",kind="train",state="${state}"}`),
    value(`ftle_sweep_tasks{sweep="s",kind="field",state="${state}"}`),
  ];
  assert.deepEqual(["pending", "leased", "done", "dead"].map(tasks), [
    [0, 8],
    [1, 0],
    [1, 0],
    [0, 0],
  ]);
  assert.equal(value('ftle_sweep_cells{sweep="s",status="trained"}'), 1);
  assert.equal(value('ftle_sweep_task_retries_total{sweep="s"}'), 2);
  assert.equal(value('ftle_sweep_operations_done_total{sweep="s"}'), first.task.work);
  assert.equal(value('ftle_sweep_predicted_completion_timestamp_seconds{sweep="s"}'), 5 + 30);
  assert.equal(value('ftle_sweep_deadline_timestamp_seconds{sweep="s"}'), 99);
  assert.equal(value('ftle_sweep_cell_test_accuracy_ratio_bucket{le="0.98",sweep="s"}'), 1);
  assert.equal(value('ftle_sweep_cell_test_accuracy_ratio_bucket{le="0.95",sweep="s"}'), 0);
  assert.equal(value('ftle_queue_pending_tasks{sweep="s"}'), 7);

  function look(running: RunningTask[]) {
    const queue = { pending: 7, inFlight: 1, redelivered: 0 };
    sweep.look({ running, etaSeconds: 30, isPaused: false, queue });
  }
});

test("metrics: a training given up, or diverged, removes its fields from the sweep", async () => {
  const { registry, sweep } = rig();
  const backlog = createBacklog(PLAN, EMPTY);
  const [first, second] = [backlog.next()!, backlog.next()!] as const;
  const whole = (await valuesIn(registry))('ftle_sweep_operations{sweep="s"}');
  sweep.onEvent(stored(first));
  sweep.onEvent({ kind: "trained", cell: first.cell, record: recordOf("diverged", 0.5) });
  const { id: task, sweep: of, cell, kind } = second.task;
  const reason = { name: "Error", message: "x" };
  const letter = { task, sweep: of, cell, kind, reason, worker: "w", attempts: 5 };
  sweep.onEvent({ kind: "dead", job: second, letter });
  const value = await valuesIn(registry);
  assert.equal(value('ftle_sweep_tasks{sweep="s",kind="train",state="dead"}'), 1);
  assert.equal(value('ftle_sweep_tasks{sweep="s",kind="field",state="pending"}'), 0);
  assert.equal(value('ftle_sweep_cells{sweep="s",status="diverged"}'), 1);
  assert.equal(value('ftle_sweep_cells{sweep="s",status="dead"}'), 1);
  assert.equal(value('ftle_sweep_operations{sweep="s"}'), first.task.work);
  assert.ok(whole > first.task.work);
  assert.equal(value('ftle_sweep_cell_test_accuracy_ratio_count{sweep="s"}'), 0);
});

test("metrics: a coordinator started again exports what is stored", async () => {
  const cells = EMPTY.cells.map((state, i) => {
    return i === 0 ? { ...state, record: recordOf("trained", 0.6) } : state;
  });
  const dead = new Set([createBacklog(PLAN, EMPTY).next()!.task.id.replace(/\w+$/, "other")]);
  const { registry } = rig({ state: { ...EMPTY, cells, dead } });
  const value = await valuesIn(registry);
  assert.equal(value('ftle_sweep_tasks{sweep="s",kind="train",state="done"}'), 1);
  assert.equal(value('ftle_sweep_tasks{sweep="s",kind="train",state="dead"}'), 1);
  assert.ok(value('ftle_sweep_operations_done_total{sweep="s"}') > 0);
  assert.equal(value('ftle_sweep_cell_test_accuracy_ratio_count{sweep="s"}'), 1);
});

test("metrics: paused is a state; an ended sweep has no queue and no running tasks", async () => {
  const { registry, sweep } = rig();
  const { task } = createBacklog(PLAN, EMPTY).next()!;
  const running = [{ task, worker: "w", attempt: 1, progress: 0, since: 0 }];
  const queue = { pending: 1, inFlight: 1, redelivered: 1 };
  sweep.look({ running, etaSeconds: 1, isPaused: true, queue });
  assert.equal((await valuesIn(registry))('ftle_sweep_state{sweep="s",state="paused"}'), 1);
  sweep.end("failed");
  const value = await valuesIn(registry);
  assert.equal(value('ftle_sweep_state{sweep="s",state="failed"}'), 1);
  assert.equal(value('ftle_sweep_tasks{sweep="s",kind="train",state="leased"}'), 0);
  assert.equal(value('ftle_queue_pending_tasks{sweep="s"}'), Number.NaN);
});

test("metrics: 50 sweeps, ten of them running, are less than 200 kB; beyond that the oldest ended ones are removed", async () => {
  const registry = new Registry();
  const metrics = coordinatorMetrics(registry);
  const runs = Array.from({ length: 52 }, (_, i) => {
    const run = sweepMetrics(metrics, { ...USUAL, name: `a-usual-name-${i}` });
    if (i !== 0 && i < 43) run.end("complete", EMPTY);
    return run;
  });
  const crews = Array.from({ length: 3 }, (_, i) => {
    return { engine: `engine-${i}.1`, alive: 60, silent: 6, threads: 480 };
  });
  addCrewMetrics(registry, () => ({ workers: crews, workersLost: 2, streams: [] }));
  const text = await registry.metrics();
  assert.ok(Buffer.byteLength(text) < 200_000, `${Buffer.byteLength(text)} bytes`);
  const named = new Set([...text.matchAll(/sweep="([^"]*)"/g)].map(([, name]) => name));
  assert.equal(named.size, 50);
  for (const gone of [1, 2]) assert.ok(!named.has(`a-usual-name-${gone}`));
  assert.equal(runs.length, 52);
});

function stored(job: Job, { attempt = 1 } = {}) {
  return { kind: "stored", job, seconds: 1, attempt, storeSeconds: 0.01 } as const;
}

function recordOf(status: CellRecord["status"], accuracy: number): CellRecord {
  const history = { trainLoss: [], trainAccuracy: [], testLoss: [], testAccuracy: [accuracy] };
  return { status, history, fields: [] } as unknown as CellRecord;
}
