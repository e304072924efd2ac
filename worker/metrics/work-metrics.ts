/** How busy threads are, and how much they compute. */
import type { Registry } from "prom-client";
import { Counter, Gauge } from "prom-client";
import { KINDS } from "./task-kinds.ts";
import type { WorkTally } from "./work-tally.ts";
import { busySeconds, operationsDone } from "./work-tally.ts";

/** Registers the metrics that are read from a tally at each scrape. */
export function addTallyMetrics(registry: Registry, engine: string, tally: WorkTally): void {
  const registers = [registry];
  new Counter({
    name: "ftle_worker_busy_seconds_total",
    help: "Time for which threads had a task, including running tasks, summed over threads.",
    registers,
    collect() {
      this.reset();
      this.inc(busySeconds(tally));
    },
  });
  new Gauge({
    name: "ftle_worker_threads_busy",
    help: "Threads that have a task.",
    registers,
    collect() {
      this.set(tally.computing.size);
    },
  });
  new Counter({
    name: "ftle_worker_operations_total",
    help: "Estimated floating-point operations done, including those of running tasks (a training resumed from a checkpoint counts when it ends). The rate is in FLOP/s.",
    labelNames: ["engine", "kind"],
    registers,
    collect() {
      this.reset();
      for (const kind of KINDS) this.inc({ engine, kind }, operationsDone(tally, kind));
    },
  });
}

/** What the tasks that have ended computed. */
export interface YieldMetrics {
  /** Grid points of fields. */
  readonly points: Counter<"engine">;
  /** Samples trained on. */
  readonly samples: Counter<"engine">;
}

export function createYieldMetrics(registry: Registry, engine: string): YieldMetrics {
  const registers = [registry];
  const points = new Counter({
    name: "ftle_worker_points_total",
    help: "Grid points whose λ₁ was computed.",
    labelNames: ["engine"],
    registers,
  });
  const samples = new Counter({
    name: "ftle_worker_samples_total",
    help: "Samples trained on; each counts once per epoch.",
    labelNames: ["engine"],
    registers,
  });
  for (const counter of [points, samples]) counter.inc({ engine }, 0);
  return { points, samples };
}
