/**
 * What a coordinator exports. Everything about a sweep's tasks, cells and work mirrors the store, so that counters
 * continue from their values when a coordinator is started again.
 */
import type { Registry } from "prom-client";
import type { RunEvent } from "../run/run.ts";
import { addMirrored } from "./mirrored-metric.ts";
import { mirroredSweepMetrics } from "./mirrored-sweep-metrics.ts";
import type { SweepHistograms } from "./sweep-histograms.ts";
import {
  beginDistributions,
  createSweepHistograms,
  dropCells,
  dropTaskDurations,
} from "./sweep-histograms.ts";
import type { SweepNumbers } from "./sweep-numbers.ts";

export interface CoordinatorMetrics {
  /** Exports a sweep from now on; `numbers` is called at each scrape. */
  follow(sweep: string, numbers: () => SweepNumbers): void;
  /** Adds an event's durations to the distributions. */
  onEvent(sweep: string, event: RunEvent): void;
  /** Adds the accuracy of a stored cell on the test split, 0…1. */
  accuracy(sweep: string, testAccuracy: number): void;
  /** Adds the mean of λ₁ over a complete field of the sweep's last snapshot. */
  lambda1(sweep: string, mean: number): void;
}

/** Ended sweeps stay exported while there are no more sweeps than this. */
const MOST_SWEEPS = 50;

/** What is exported now. */
interface ExportedSweeps {
  /** By name, the most recently followed one last. Each function returns its sweep's present numbers. */
  readonly sweeps: Map<string, () => SweepNumbers>;
  readonly histograms: SweepHistograms;
}

export function coordinatorMetrics(registry: Registry): CoordinatorMetrics {
  const sweeps: ExportedSweeps["sweeps"] = new Map();
  addMirrored(registry, {
    metrics: mirroredSweepMetrics,
    sharedLabels: ["sweep"],
    *sources() {
      for (const [sweep, numbers] of sweeps) yield [{ sweep }, numbers()];
    },
  });
  const exported: ExportedSweeps = { sweeps, histograms: createSweepHistograms(registry) };
  const { testAccuracies, lambda1Means } = exported.histograms;
  return {
    follow(sweep, numbers) {
      sweeps.delete(sweep); // a sweep followed again becomes the last
      sweeps.set(sweep, numbers);
      beginDistributions(exported.histograms, { sweep, kinds: numbers().kinds });
      dropEnded(exported);
    },
    onEvent: (sweep, event) => observe(exported.histograms, sweep, event),
    accuracy: (sweep, testAccuracy) => testAccuracies.observe({ sweep }, testAccuracy),
    lambda1: (sweep, mean) => lambda1Means.observe({ sweep }, mean),
  };
}

function observe(
  { taskDurations, storeDurations }: SweepHistograms,
  sweep: string,
  event: RunEvent,
): void {
  if (event.kind !== "stored") return;
  taskDurations.observe({ sweep, kind: event.job.kind }, event.seconds);
  storeDurations.observe(event.storeSeconds);
}

/** Stops exporting task durations of ended sweeps, and the oldest ended sweeps if there are too many. */
function dropEnded({ sweeps, histograms }: ExportedSweeps): void {
  for (const [sweep, numbers] of sweeps) {
    if (["running", "paused"].includes(numbers().state)) continue;
    dropTaskDurations(histograms, sweep);
    if (sweeps.size <= MOST_SWEEPS) continue;
    sweeps.delete(sweep);
    dropCells(histograms, sweep);
  }
}
