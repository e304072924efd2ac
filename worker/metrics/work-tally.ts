/** How long a worker's threads were busy and how much they computed, the tasks that run now included. */
import type { WorkerRun } from "../loop/worker-event.ts";
import type { Kind } from "./task-kinds.ts";

export interface WorkTally {
  /** The runs that have not ended. */
  readonly running: Set<WorkerRun>;
  /** Those of them that a thread computes. */
  readonly computing: Set<WorkerRun>;
  /** Total time of the runs that have ended. */
  endedSeconds: number;
  /** Operations of the runs that have ended, by kind of task. */
  readonly endedOperations: Record<Kind, number>;
  /** The largest sum exported so far, by kind: a counter must not decrease. */
  readonly reportedOperations: Record<Kind, number>;
}

export function createWorkTally(): WorkTally {
  return {
    running: new Set(),
    computing: new Set(),
    endedSeconds: 0,
    endedOperations: { train: 0, field: 0, analysis: 0 },
    reportedOperations: { train: 0, field: 0, analysis: 0 },
  };
}

export function addEnded(
  tally: WorkTally,
  run: WorkerRun,
  { seconds, operations }: { seconds: number; operations: number },
): void {
  tally.running.delete(run);
  tally.computing.delete(run);
  tally.endedSeconds += seconds;
  tally.endedOperations[run.task.kind] += operations;
}

/** Time that threads had a task, summed over threads. */
export function busySeconds({ running, endedSeconds }: WorkTally): number {
  return endedSeconds + sum([...running].map((run) => run.seconds()));
}

/**
 * Operations done for tasks of a kind, never fewer than an earlier call returned: a run may end with fewer than its
 * progress indicated before. Resumed runs count only when they end, because part of their progress was made elsewhere.
 */
export function operationsDone(tally: WorkTally, kind: Kind): number {
  const { running, endedOperations, reportedOperations } = tally;
  const counted = [...running].filter(({ task, isResumed }) => task.kind === kind && !isResumed);
  const now = endedOperations[kind] + sum(counted.map((run) => run.progress() * run.task.work));
  reportedOperations[kind] = Math.max(reportedOperations[kind], now);
  return reportedOperations[kind];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
