/**
 * What a coordinator exports. Everything about a sweep's tasks, cells and work mirrors the store, so that counters
 * go on where they were when a coordinator is started again.
 */
import type { Registry } from "prom-client";
import { Counter, Gauge, Histogram } from "prom-client";
import type { QueueNumbers } from "../../shared/transport/nats/observe.ts";
import type { RunEvent } from "../run/run.ts";
import type { ByKind } from "../run/tally.ts";
import type { CellStatus } from "../store/cell-status.ts";

/**
 * - `running`: tasks are handed out
 * - `paused`: `ftle pause`
 * - `complete`: every task has a result or was given up
 * - `interrupted`: by a person or a signal; `ftle resume` goes on
 * - `cancelled`: `ftle cancel`
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

/** `leased`: a worker has it. `dead`: given up. */
export const TASK_STATES = ["pending", "leased", "done", "dead"] as const;
const KINDS = ["train", "field"] as const;
const CELL_STATUSES = ["missing", "trained", "diverged", "dead"] as const satisfies CellStatus[];

/** A sweep as it is now. Times are in seconds since the epoch. */
export interface SweepNumbers {
  readonly id: string;
  readonly engine: string;
  readonly state: SweepState;
  readonly start: number;
  readonly lastProgress: number;
  /** null when it cannot be told: no worker is there. */
  readonly predictedCompletion: number | null;
  /** null: none was set. */
  readonly deadline: number | null;
  /** Estimated floating-point operations (`shared/work.ts`): of the whole sweep, and of what is stored. */
  readonly operations: number;
  readonly operationsDone: number;
  readonly tasks: Readonly<Record<(typeof TASK_STATES)[number], ByKind>>;
  readonly cells: Readonly<Record<CellStatus, number>>;
  /** Attempts beyond the first, of tasks that have ended. */
  readonly retries: number;
  readonly late: number;
  /** Files found damaged when the run began, and made again. */
  readonly damaged: number;
  /** The sweep's queue at the broker; null without one. */
  readonly queue: QueueNumbers | null;
}

export interface CoordinatorMetrics {
  /** Exports a sweep from now on; `numbers` is called at each scrape. */
  follow(sweep: string, numbers: () => SweepNumbers): void;
  /** Counts what one event says. */
  onEvent(sweep: string, event: RunEvent): void;
  /** A cell of which the store knows the accuracy on the test split, 0…1. */
  accuracy(sweep: string, testAccuracy: number): void;
  /** A field of a sweep's last snapshot of which the store knows the mean of λ₁. */
  lambda1(sweep: string, mean: number): void;
}

/** Ended sweeps are exported until so many are. */
const MOST_SWEEPS = 50;
/** Around the 1–10 s for which tasks are cut. */
const SECONDS = [0.1, 0.5, 1, 2, 4, 8, 15, 30, 120, 600, 3600];

export function coordinatorMetrics(registry: Registry): CoordinatorMetrics {
  const registers = [registry];
  const sweeps = new Map<string, () => SweepNumbers>();

  /** A metric that is, for each sweep, what `value` says; null leaves it out. */
  function mirrored(
    Metric: typeof Gauge | typeof Counter,
    name: string,
    help: string,
    value: (numbers: SweepNumbers) => number | null,
  ): void {
    new Metric({
      name,
      help,
      labelNames: ["sweep"],
      registers,
      collect(this: Gauge | Counter) {
        this.reset();
        for (const [sweep, numbers] of sweeps) {
          const now = value(numbers());
          if (now !== null) this.inc({ sweep }, now);
        }
      },
    });
  }

  new Gauge({
    name: "ftle_sweep_info",
    help: "1; the labels are the sweep's id, as in `ftle status` and subjects at the broker, and its engine.",
    labelNames: ["sweep", "id", "engine"],
    registers,
    collect() {
      this.reset();
      for (const [sweep, numbers] of sweeps) {
        const { id, engine } = numbers();
        this.set({ sweep, id, engine }, 1);
      }
    },
  });
  new Gauge({
    name: "ftle_sweep_state",
    help: `1 for the state in which the sweep is, 0 for the others: ${SWEEP_STATES.join(", ")}.`,
    labelNames: ["sweep", "state"],
    registers,
    collect() {
      this.reset();
      for (const [sweep, numbers] of sweeps) {
        const now = numbers().state;
        for (const state of SWEEP_STATES) this.set({ sweep, state }, state === now ? 1 : 0);
      }
    },
  });
  mirrored(
    Gauge,
    "ftle_sweep_start_timestamp_seconds",
    "When this coordinator took the sweep up.",
    ({ start }) => start,
  );
  mirrored(
    Gauge,
    "ftle_sweep_last_progress_timestamp_seconds",
    "When a result was stored last; before the first, when the run began.",
    ({ lastProgress }) => lastProgress,
  );
  mirrored(
    Gauge,
    "ftle_sweep_predicted_completion_timestamp_seconds",
    "When the sweep will be complete, as estimated from the work left and the workers that are there; absent without workers, and when it has ended.",
    ({ predictedCompletion }) => predictedCompletion,
  );
  mirrored(
    Gauge,
    "ftle_sweep_deadline_timestamp_seconds",
    "When the sweep should be complete (`--deadline`); absent if none was given.",
    ({ deadline }) => deadline,
  );
  mirrored(
    Gauge,
    "ftle_sweep_operations",
    "Estimated floating-point operations of the whole sweep; what diverged or was given up is taken off.",
    ({ operations }) => operations,
  );
  mirrored(
    Counter,
    "ftle_sweep_operations_done_total",
    "Estimated floating-point operations of what the store holds.",
    ({ operationsDone }) => operationsDone,
  );
  new Gauge({
    name: "ftle_sweep_tasks",
    help: `Tasks by kind and state: ${TASK_STATES.join(", ")}. The store decides what is done; tiles of cells not yet trained are pending.`,
    labelNames: ["sweep", "kind", "state"],
    registers,
    collect() {
      this.reset();
      for (const [sweep, numbers] of sweeps) {
        const { tasks } = numbers();
        for (const state of TASK_STATES) {
          for (const kind of KINDS) this.set({ sweep, kind, state }, tasks[state][kind]);
        }
      }
    },
  });
  new Gauge({
    name: "ftle_sweep_cells",
    help: `Cells (networks) by status: ${CELL_STATUSES.join(", ")}.`,
    labelNames: ["sweep", "status"],
    registers,
    collect() {
      this.reset();
      for (const [sweep, numbers] of sweeps) {
        const { cells } = numbers();
        for (const status of CELL_STATUSES) this.set({ sweep, status }, cells[status]);
      }
    },
  });
  mirrored(
    Counter,
    "ftle_sweep_task_retries_total",
    "Attempts beyond the first, of tasks that this coordinator saw end.",
    ({ retries }) => retries,
  );
  mirrored(
    Counter,
    "ftle_sweep_late_results_total",
    "Outcomes that came of tasks that were done with, and were refused.",
    ({ late }) => late,
  );
  mirrored(
    Gauge,
    "ftle_sweep_damaged_files",
    "Files of the store found damaged when the run began, and made again.",
    ({ damaged }) => damaged,
  );
  mirrored(
    Gauge,
    "ftle_queue_pending_tasks",
    "Tasks that wait at the broker for a worker.",
    ({ queue }) => queue?.pending ?? null,
  );
  mirrored(
    Gauge,
    "ftle_queue_in_flight_tasks",
    "Tasks at the broker that a worker has.",
    ({ queue }) => queue?.inFlight ?? null,
  );
  mirrored(
    Gauge,
    "ftle_queue_redelivered_tasks",
    "Tasks at the broker that were delivered more than once and are not done.",
    ({ queue }) => queue?.redelivered ?? null,
  );
  const durations = new Histogram({
    name: "ftle_sweep_task_duration_seconds",
    help: "Time in the thread, of results that this coordinator stored.",
    labelNames: ["sweep", "kind"],
    buckets: SECONDS,
    registers,
  });
  const stores = new Histogram({
    name: "ftle_sweep_store_duration_seconds",
    help: "Time to check a result and write it to the store, fsync included.",
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    registers,
  });
  const accuracies = new Histogram({
    name: "ftle_sweep_cell_test_accuracy_ratio",
    help: "Accuracy on the test split at the end of training, of the cells in the store.",
    labelNames: ["sweep"],
    buckets: [0.5, 0.7, 0.9, 0.95, 0.98, 0.99],
    registers,
  });
  const lambda1s = new Histogram({
    name: "ftle_sweep_cell_lambda1_mean",
    help: "Mean of λ₁ over a field of the last snapshot (natural logarithm, per layer), of the complete fields in the store.",
    labelNames: ["sweep"],
    buckets: [-0.5, -0.2, 0, 0.1, 0.2, 0.5, 1],
    registers,
  });

  /** Of the sweeps that have ended, those that were followed first go; of all, how long their tasks took. */
  function forgetOldest(): void {
    for (const [sweep, numbers] of sweeps) {
      if (["running", "paused"].includes(numbers().state)) continue;
      for (const kind of KINDS) durations.remove({ sweep, kind });
      if (sweeps.size <= MOST_SWEEPS) continue;
      sweeps.delete(sweep);
      for (const histogram of [accuracies, lambda1s]) histogram.remove({ sweep });
    }
  }

  return {
    follow(sweep, numbers) {
      sweeps.delete(sweep); // a sweep taken up again is the newest
      sweeps.set(sweep, numbers);
      for (const histogram of [accuracies, lambda1s]) histogram.zero({ sweep });
      for (const kind of KINDS) durations.zero({ sweep, kind });
      forgetOldest();
    },
    onEvent(sweep, event) {
      if (event.kind !== "stored") return;
      durations.observe({ sweep, kind: event.job.kind }, event.seconds);
      stores.observe(event.storeSeconds);
    },
    accuracy: (sweep, testAccuracy) => accuracies.observe({ sweep }, testAccuracy),
    lambda1: (sweep, mean) => lambda1s.observe({ sweep }, mean),
  };
}
