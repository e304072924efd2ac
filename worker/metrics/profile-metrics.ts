/** What stays the same while a worker runs. */
import type { Registry } from "prom-client";
import { Gauge } from "prom-client";
import type { WorkerProfile } from "../../shared/transport/transport.ts";
import { MEASURED_KINDS } from "./task-kinds.ts";

/** A worker, as it announces itself when it starts. */
export type MeasuredWorker = Pick<WorkerProfile, "name" | "engine" | "threads" | "rates">;

export function addProfileMetrics(registry: Registry, worker: MeasuredWorker): void {
  const { name, engine, threads, rates } = worker;
  const registers = [registry];
  const info = new Gauge({
    name: "ftle_worker_info",
    help: "1; the labels are the worker's name, as in provenance, and its engine.",
    labelNames: ["name", "engine"],
    registers,
  });
  info.set({ name, engine }, 1);
  const threadCount = new Gauge({
    name: "ftle_worker_threads",
    help: "Threads that compute tasks.",
    registers,
  });
  threadCount.set(threads);
  const calibrated = new Gauge({
    name: "ftle_worker_calibrated_operations_per_second",
    help: "Floating-point operations per second of one thread, measured when the worker started.",
    labelNames: ["engine", "kind"],
    registers,
  });
  for (const kind of MEASURED_KINDS) calibrated.set({ engine, kind }, rates[kind]);
}
