import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "prom-client";
import { fieldTaskFixture } from "../../shared/testing/task-fixture.ts";
import type { WorkerRun } from "../loop/worker-event.ts";
import { workerMetrics } from "../metrics/worker-metrics.ts";

const WORKER = { name: "w", engine: "test.1", threads: 2, rates: { train: 1e9, field: 2e9 } };
const NOTHING = { operations: 0, points: 0, samples: 0 };

function rig() {
  const registry = new Registry();
  const metrics = workerMetrics(registry, WORKER);
  const value = async (name: string, labels: Record<string, string> = {}) => {
    const { values } = await registry.getSingleMetric(name)!.get();
    const found = values.filter(({ labels: all }) =>
      Object.entries(labels).every(([key, wanted]) => all[key as never] === wanted),
    );
    return found.reduce((sum, sample) => sum + sample.value, 0);
  };
  return { registry, metrics, value };
}

function run(progress = 0.5, seconds = 3): WorkerRun & { at: number } {
  const task = { ...fieldTaskFixture("a"), work: 1000 };
  return {
    task,
    isResumed: false,
    at: progress,
    progress() {
      return this.at;
    },
    seconds: () => seconds,
  };
}

test("worker metrics: every outcome of every kind is there from the start, at 0", async () => {
  const { registry } = rig();
  const { values } = await registry.getSingleMetric("ftle_worker_tasks_total")!.get();
  assert.equal(values.length, 21);
  assert.ok(values.every(({ value }) => value === 0));
});

test("worker metrics: running tasks count as busy and computed, and do not count twice when they end", async () => {
  const { metrics, value } = rig();
  const one = run();
  metrics.onEvent({ kind: "leased", run: one, waitSeconds: 0.1 });
  assert.equal(await value("ftle_worker_threads_busy"), 1);
  assert.equal(await value("ftle_worker_busy_seconds_total"), 3);
  assert.equal(await value("ftle_worker_operations_total", { kind: "field" }), 500);
  const computed = { operations: 1000, points: 16, samples: 0 };
  metrics.onEvent({ kind: "ended", run: one, outcome: "done", computed });
  assert.equal(await value("ftle_worker_threads_busy"), 0);
  assert.equal(await value("ftle_worker_busy_seconds_total"), 3);
  assert.equal(await value("ftle_worker_operations_total", { kind: "field" }), 1000);
  assert.equal(await value("ftle_worker_points_total"), 16);
  assert.equal(await value("ftle_worker_tasks_total", { kind: "field", outcome: "done" }), 1);
});

test("worker metrics: operations never go back, whatever a run told before it ended", async () => {
  const { metrics, value } = rig();
  const one = run(0.9);
  metrics.onEvent({ kind: "leased", run: one, waitSeconds: 0 });
  assert.equal(await value("ftle_worker_operations_total"), 900);
  const computed = { ...NOTHING, operations: 400 };
  metrics.onEvent({ kind: "ended", run: one, outcome: "lost", computed });
  assert.equal(await value("ftle_worker_operations_total"), 900);
  metrics.onEvent({ kind: "leased", run: run(1), waitSeconds: 0 });
  assert.equal(await value("ftle_worker_operations_total"), 1400);
});

test("worker metrics: what a checkpoint brought is not counted as computed here", async () => {
  const { metrics, value } = rig();
  metrics.onEvent({ kind: "leased", run: { ...run(0.9), isResumed: true }, waitSeconds: 0 });
  assert.equal(await value("ftle_worker_operations_total"), 0);
});

test("worker metrics: the transport's events are counted", async () => {
  const { metrics, value } = rig();
  metrics.onTransportEvent({ kind: "extended", task: "a" });
  metrics.onTransportEvent({ kind: "result", bytes: 77 });
  metrics.onTransportEvent({ kind: "blob", cached: true });
  metrics.onTransportEvent({ kind: "foreign", subject: "s", reason: "r" });
  metrics.drain();
  assert.equal(await value("ftle_worker_lease_extensions_total"), 1);
  assert.equal(await value("ftle_worker_result_bytes_total"), 77);
  assert.equal(await value("ftle_worker_weights_reads_total", { source: "cache" }), 1);
  assert.equal(await value("ftle_worker_weights_reads_total", { source: "broker" }), 0);
  assert.equal(await value("ftle_worker_foreign_messages_total"), 1);
  assert.equal(await value("ftle_worker_draining"), 1);
});
