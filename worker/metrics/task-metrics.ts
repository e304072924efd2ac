/** How tasks ended, how long they took, and how long threads waited for them. */
import type { Registry } from "prom-client";
import { Counter, Histogram } from "prom-client";
import { TASK_OUTCOMES } from "../loop/worker-event.ts";
import { KINDS } from "./task-kinds.ts";

export interface TaskMetrics {
  /** Tasks that ended. */
  readonly ended: Counter<"kind" | "outcome">;
  /** Seconds in their threads. */
  readonly durations: Histogram<"kind">;
  /** Seconds that a free thread waited. */
  readonly waits: Histogram;
  /** Checkpoints saved. */
  readonly checkpoints: Counter;
}

/** Around the 1–10 s that a task is planned to take. */
const TASK_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 1800];

/** Every combination of labels is exported from the start. */
export function createTaskMetrics(registry: Registry): TaskMetrics {
  const registers = [registry];
  const ended = new Counter({
    name: "ftle_worker_tasks_total",
    help: `Tasks that ended on this worker, by kind and outcome: ${TASK_OUTCOMES.join(", ")}.`,
    labelNames: ["kind", "outcome"],
    registers,
  });
  const durations = new Histogram({
    name: "ftle_worker_task_duration_seconds",
    help: "Time for which a task had its thread.",
    labelNames: ["kind"],
    buckets: TASK_SECONDS,
    registers,
  });
  const waits = new Histogram({
    name: "ftle_worker_task_wait_seconds",
    help: "Time that a free thread waited for its next task.",
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600],
    registers,
  });
  const checkpoints = new Counter({
    name: "ftle_worker_checkpoints_total",
    help: "Checkpoints of trainings that were saved.",
    registers,
  });
  for (const kind of KINDS) {
    for (const outcome of TASK_OUTCOMES) ended.inc({ kind, outcome }, 0);
    durations.zero({ kind });
  }
  return { ended, durations, waits, checkpoints };
}
