/** What a worker exports. Observed in the main thread, from `WorkerEvent`s: threads that compute cannot answer. */
import type { Registry } from "prom-client";
import { Counter, Gauge, Histogram } from "prom-client";
import type { WorkerTransportEvent } from "../shared/transport/nats/worker-events.ts";
import type { WorkerEvent, WorkerRun } from "./loop/worker-event.ts";
import { TASK_OUTCOMES } from "./loop/worker-event.ts";

export const KINDS = ["train", "field"] as const;

/** Around the 1–10 s for which tasks are cut. */
const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 1800];

export interface WorkerMetricsOptions {
  readonly name: string;
  readonly engine: string;
  readonly threads: number;
  /** Operations a second of one thread, as measured at the start. */
  readonly rates: Readonly<Record<(typeof KINDS)[number], number>>;
}

export interface WorkerMetrics {
  onEvent(event: WorkerEvent): void;
  onTransportEvent(event: WorkerTransportEvent): void;
  drain(): void;
}

export function workerMetrics(
  registry: Registry,
  { name, engine, threads, rates }: WorkerMetricsOptions,
): WorkerMetrics {
  const registers = [registry];
  const running = new Set<WorkerRun>();
  const operations = { train: 0, field: 0 }; // of runs that have ended
  const told = { train: 0, field: 0 };
  let busySeconds = 0; // of runs that have ended

  new Gauge({
    name: "ftle_worker_info",
    help: "1; the labels are the worker's name, as in provenance, and its engine.",
    labelNames: ["name", "engine"],
    registers,
  }).set({ name, engine }, 1);
  const tasks = new Counter({
    name: "ftle_worker_tasks_total",
    help: `Tasks that ended on this worker, by outcome: ${TASK_OUTCOMES.join(", ")}.`,
    labelNames: ["kind", "outcome"],
    registers,
  });
  const durations = new Histogram({
    name: "ftle_worker_task_duration_seconds",
    help: "Time from a task's lease to its end on this worker.",
    labelNames: ["kind"],
    buckets: SECONDS,
    registers,
  });
  const waits = new Histogram({
    name: "ftle_worker_task_wait_seconds",
    help: "Time that a free thread waited for its next task.",
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600],
    registers,
  });
  new Counter({
    name: "ftle_worker_busy_seconds_total",
    help: "Time that threads had a task, running ones included, summed over threads.",
    registers,
    collect() {
      this.reset();
      this.inc(busySeconds + sum([...running].map((run) => run.seconds())));
    },
  });
  new Gauge({
    name: "ftle_worker_threads",
    help: "Threads that compute.",
    registers,
  }).set(threads);
  new Gauge({
    name: "ftle_worker_threads_busy",
    help: "Threads that have a task.",
    registers,
    collect() {
      this.set(running.size);
    },
  });
  new Counter({
    name: "ftle_worker_operations_total",
    help: "Estimated floating-point operations done, running tasks included (a training that goes on from a checkpoint counts when it ends). Its rate is FLOP/s.",
    labelNames: ["engine", "kind"],
    registers,
    collect() {
      this.reset();
      for (const kind of KINDS) {
        const mine = [...running].filter(({ task, isResumed }) => task.kind === kind && !isResumed);
        const now = operations[kind] + sum(mine.map((run) => run.progress() * run.task.work));
        told[kind] = Math.max(told[kind], now); // a run may end with less than it had told
        this.inc({ engine, kind }, told[kind]);
      }
    },
  });
  const calibrated = new Gauge({
    name: "ftle_worker_calibrated_operations_per_second",
    help: "Floating-point operations a second of one thread, as measured when the worker started.",
    labelNames: ["engine", "kind"],
    registers,
  });
  const points = new Counter({
    name: "ftle_worker_points_total",
    help: "Grid points whose λ₁ was computed.",
    labelNames: ["engine"],
    registers,
  });
  const samples = new Counter({
    name: "ftle_worker_samples_total",
    help: "Samples trained on; each counts once an epoch.",
    labelNames: ["engine"],
    registers,
  });
  const extensions = new Counter({
    name: "ftle_worker_lease_extensions_total",
    help: "Leases extended at the broker.",
    registers,
  });
  const results = new Counter({
    name: "ftle_worker_result_bytes_total",
    help: "Bytes of results handed in at the broker, weights not included.",
    registers,
  });
  const weights = new Counter({
    name: "ftle_worker_weights_reads_total",
    help: "Weights needed for fields, by where they came from.",
    labelNames: ["source"],
    registers,
  });
  const foreign = new Counter({
    name: "ftle_worker_foreign_messages_total",
    help: "Messages on a queue that were no task, and were made dead letters.",
    registers,
  });
  const checkpoints = new Counter({
    name: "ftle_worker_checkpoints_total",
    help: "Checkpoints of trainings saved.",
    registers,
  });
  const draining = new Gauge({
    name: "ftle_worker_draining",
    help: "1 when the worker takes no more tasks, because it is to end.",
    registers,
  });

  for (const kind of KINDS) {
    for (const outcome of TASK_OUTCOMES) tasks.inc({ kind, outcome }, 0);
    durations.zero({ kind });
    calibrated.set({ engine, kind }, rates[kind]);
  }
  for (const counter of [points, samples]) counter.inc({ engine }, 0);
  for (const source of ["cache", "broker"]) weights.inc({ source }, 0);

  return {
    onEvent(event) {
      if (event.kind === "checkpoint") {
        checkpoints.inc();
        return;
      }
      const { run } = event;
      const { kind } = run.task;
      if (event.kind === "leased") {
        running.add(run);
        waits.observe(event.waitSeconds);
        return;
      }
      running.delete(run);
      const seconds = run.seconds();
      tasks.inc({ kind, outcome: event.outcome });
      durations.observe({ kind }, seconds);
      busySeconds += seconds;
      operations[kind] += event.computed.operations;
      points.inc({ engine }, event.computed.points);
      samples.inc({ engine }, event.computed.samples);
    },
    onTransportEvent(event) {
      if (event.kind === "extended") extensions.inc();
      if (event.kind === "result") results.inc(event.bytes);
      if (event.kind === "blob") weights.inc({ source: event.cached ? "cache" : "broker" });
      if (event.kind === "foreign") foreign.inc();
    },
    drain() {
      draining.set(1);
    },
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
