/** The numbers of a sweep that metrics export, as plain data, and the values of their labels. */
import type { QueueNumbers } from "../../shared/transport/nats/observe.ts";
import type { TaskKind } from "../plan/cost.ts";
import type { ByKind } from "../run/tally.ts";
import type { CellStatus } from "../store/cell-status.ts";

/**
 * - `running`: tasks are handed out
 * - `paused`: by `ftle pause`
 * - `complete`: every task has a result or was given up
 * - `interrupted`: by a person or a signal; `ftle resume` continues it
 * - `cancelled`: by `ftle cancel`
 * - `failed`: ended by a fault, such as a full disk
 */
export const SWEEP_STATES = [
  "running",
  "paused",
  "complete",
  "interrupted",
  "cancelled",
  "failed",
] as const;
export type SweepState = (typeof SWEEP_STATES)[number];

/** `leased`: a worker is computing it. `dead`: given up. */
export const TASK_STATES = ["pending", "leased", "done", "dead"] as const;
export type TaskState = (typeof TASK_STATES)[number];

export const CELL_STATUSES = [
  "missing",
  "trained",
  "diverged",
  "dead",
] as const satisfies CellStatus[];

/** A sweep at one moment. Times are in seconds since the epoch. */
export interface SweepNumbers {
  /** As in `ftle status`. */
  readonly id: string;
  readonly engine: string;
  readonly state: SweepState;
  /** When this run began. */
  readonly start: number;
  /** When a result was last stored; before the first, `start`. */
  readonly lastProgress: number;
  /** null when it cannot be estimated, because there is no worker. */
  readonly predictedCompletion: number | null;
  /** null if none was set. */
  readonly deadline: number | null;
  /** Estimated floating-point operations (`shared/work.ts`) of the whole sweep. */
  readonly operations: number;
  /** Those of what is stored. */
  readonly operationsDone: number;
  readonly tasks: Readonly<Record<TaskState, ByKind>>;
  /** Of the tasks that it has. */
  readonly kinds: readonly TaskKind[];
  readonly cells: Readonly<Record<CellStatus, number>>;
  /** Attempts beyond the first, of tasks that have ended. */
  readonly retries: number;
  /** Outcomes that were ignored because their task already had one. */
  readonly late: number;
  /** Files found damaged when the run began; their results are computed again. */
  readonly damaged: number;
  /** The sweep's queue at the broker; null without a broker. */
  readonly queue: QueueNumbers | null;
}
