/** Distributions over a sweep's tasks and cells. Unlike mirrored metrics they are filled value by value. */

import type { Registry } from "prom-client";
import { Histogram } from "prom-client";
import type { TaskKind } from "../plan/cost.ts";
import { TASK_KINDS } from "../plan/cost.ts";

export interface SweepHistograms {
  /** Seconds of a task in its thread, by sweep and kind. */
  readonly taskDurations: Histogram<"sweep" | "kind">;
  /** Seconds to store a result, over all sweeps. */
  readonly storeDurations: Histogram;
  /** Test accuracy of trained cells, 0…1, by sweep. */
  readonly testAccuracies: Histogram<"sweep">;
  /** Mean λ₁ of the last snapshot's fields, by sweep. */
  readonly lambda1Means: Histogram<"sweep">;
}

/** Buckets around the 1–10 s that a task is planned to take. */
const TASK_SECONDS = [0.1, 0.5, 1, 2, 4, 8, 15, 30, 120, 600, 3600];

export function createSweepHistograms(registry: Registry): SweepHistograms {
  const registers = [registry];
  return {
    taskDurations: new Histogram({
      name: "ftle_sweep_task_duration_seconds",
      help: "Computing time in the worker's thread, of results that this coordinator stored.",
      labelNames: ["sweep", "kind"],
      buckets: TASK_SECONDS,
      registers,
    }),
    storeDurations: new Histogram({
      name: "ftle_sweep_store_duration_seconds",
      help: "Time to check a result and write it to the store, fsync included.",
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      registers,
    }),
    testAccuracies: new Histogram({
      name: "ftle_sweep_cell_test_accuracy_ratio",
      help: "Accuracy on the test split at the end of training, of the trained cells in the store.",
      labelNames: ["sweep"],
      buckets: [0.5, 0.7, 0.9, 0.95, 0.98, 0.99],
      registers,
    }),
    lambda1Means: new Histogram({
      name: "ftle_sweep_cell_lambda1_mean",
      help: "Mean of λ₁ (natural logarithm, per layer) over each complete field of the last snapshot in the store.",
      labelNames: ["sweep"],
      buckets: [-0.5, -0.2, 0, 0.1, 0.2, 0.5, 1],
      registers,
    }),
  };
}

/** Starts a sweep's distributions, so that they are exported even before their first value. */
export function beginDistributions(
  histograms: SweepHistograms,
  { sweep, kinds }: { readonly sweep: string; readonly kinds: readonly TaskKind[] },
): void {
  for (const kind of kinds) histograms.taskDurations.zero({ sweep, kind });
  histograms.testAccuracies.zero({ sweep });
  histograms.lambda1Means.zero({ sweep });
}

/** Removes the durations of a sweep's tasks, which matter only while it runs. */
export function dropTaskDurations({ taskDurations }: SweepHistograms, sweep: string): void {
  for (const kind of TASK_KINDS) taskDurations.remove({ sweep, kind });
}

/** Removes the distributions over a sweep's cells. */
export function dropCells(histograms: SweepHistograms, sweep: string): void {
  histograms.testAccuracies.remove({ sweep });
  histograms.lambda1Means.remove({ sweep });
}
