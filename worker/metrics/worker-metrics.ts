/** What a worker exports. The main thread counts `WorkerEvent`s, because a thread that computes cannot answer. */
import type { Registry } from "prom-client";
import { Gauge } from "prom-client";
import type { WorkerTransportEvent } from "../../shared/transport/nats/worker-events.ts";
import type { WorkerEvent } from "../loop/worker-event.ts";
import type { MeasuredWorker } from "./profile-metrics.ts";
import { addProfileMetrics } from "./profile-metrics.ts";
import type { TaskMetrics } from "./task-metrics.ts";
import { createTaskMetrics } from "./task-metrics.ts";
import { countTransportEvent, createTransportMetrics } from "./transport-metrics.ts";
import type { YieldMetrics } from "./work-metrics.ts";
import { addTallyMetrics, createYieldMetrics } from "./work-metrics.ts";
import type { WorkTally } from "./work-tally.ts";
import { addEnded, createWorkTally } from "./work-tally.ts";

export type WorkerMetricsOptions = MeasuredWorker;

export interface WorkerMetrics {
  onEvent(event: WorkerEvent): void;
  onTransportEvent(event: WorkerTransportEvent): void;
  /** The worker takes no more tasks from now on. */
  drain(): void;
}

export function workerMetrics(registry: Registry, options: WorkerMetricsOptions): WorkerMetrics {
  const { engine } = options;
  addProfileMetrics(registry, options);
  const tasks = createTaskMetrics(registry);
  const tally = createWorkTally();
  addTallyMetrics(registry, engine, tally);
  const work: WorkMetrics = {
    engine,
    tasks,
    tally,
    computed: createYieldMetrics(registry, engine),
  };
  const transport = createTransportMetrics(registry);
  const draining = new Gauge({
    name: "ftle_worker_draining",
    help: "1 when the worker is about to end and takes no more tasks, otherwise 0.",
    registers: [registry],
  });
  return {
    onEvent: (event) => countEvent(work, event),
    onTransportEvent: (event) => countTransportEvent(transport, event),
    drain: () => draining.set(1),
  };
}

/** What a worker's events change. */
interface WorkMetrics {
  readonly engine: string;
  readonly tasks: TaskMetrics;
  readonly tally: WorkTally;
  readonly computed: YieldMetrics;
}

function countEvent({ engine, tasks, tally, computed }: WorkMetrics, event: WorkerEvent): void {
  if (event.kind === "checkpoint") {
    tasks.checkpoints.inc();
    return;
  }
  const { run } = event;
  if (event.kind === "leased") {
    tally.running.add(run);
    tally.computing.add(run);
    tasks.waits.observe(event.waitSeconds);
    return;
  }
  if (event.kind === "computed") {
    tally.computing.delete(run);
    return;
  }
  const { kind } = run.task;
  const { operations, points, samples } = event.computed;
  const seconds = run.seconds();
  addEnded(tally, run, { seconds, operations });
  tasks.ended.inc({ kind, outcome: event.outcome });
  tasks.durations.observe({ kind }, seconds);
  computed.points.inc({ engine }, points);
  computed.samples.inc({ engine }, samples);
}
