/** The machines that workers run on, and what they do at the broker. */
import type { Section } from "./layout.ts";
import type { Thresholds } from "./panels.ts";
import { bars, heat, lines, rows } from "./panels.ts";
import { UTILISATION, WORKERS, workerRate } from "./selectors.ts";

const SPEED: Thresholds = [
  [null, "red"],
  [0.34, "yellow"],
  [0.7, "green"],
];

export const workerMachines: readonly Section[] = [
  {
    title: "Machines",
    panels: [
      rows({
        title: "Workers",
        description:
          "One line a worker. Of its calibration: how fast it works, beside how fast it was when it started (1: as fast). Of the fleet: beside the calibration of the middle machine. A third and less is slow.",
        unit: "short",
        by: "instance",
        labels: { instance: "Worker", name: "Name", engine: "Engine" },
        hidden: ["Value #A"],
        columns: [
          {
            expr: `max by (instance, name, engine) (ftle_worker_info{${WORKERS}})`,
            name: "Info",
            unit: "none",
          },
          {
            expr: `sum by (instance) (ftle_worker_threads{${WORKERS}})`,
            name: "Threads",
            unit: "none",
          },
          {
            expr: `sum by (instance) (ftle_worker_threads_busy{${WORKERS}})`,
            name: "Busy now",
            unit: "none",
          },
          {
            expr: `sum by (instance) (instance:ftle_worker_utilisation:ratio_rate5m{${WORKERS}})`,
            name: "Utilisation",
            unit: "percentunit",
            thresholds: UTILISATION,
          },
          {
            expr: `max by (instance) (ftle_worker_calibrated_operations_per_second{${WORKERS},kind="train"})`,
            name: "Training, a thread",
            unit: "flops",
          },
          {
            expr: `max by (instance) (ftle_worker_calibrated_operations_per_second{${WORKERS},kind="field"})`,
            name: "Fields, a thread",
            unit: "flops",
          },
          {
            expr: `max by (instance) (instance_engine:ftle_worker_speed_of_calibrated:ratio_rate15m{${WORKERS}})`,
            name: "Of its calibration",
            unit: "percentunit",
            thresholds: SPEED,
          },
          {
            expr: `max by (instance) (instance_engine:ftle_worker_speed_of_fleet:ratio_rate15m{${WORKERS}})`,
            name: "Of the fleet",
            unit: "percentunit",
            thresholds: SPEED,
          },
          {
            expr: `max by (instance) (process_resident_memory_bytes{${WORKERS}} and on (job, instance) ftle_worker_info)`,
            name: "Memory",
            unit: "bytes",
          },
        ],
        runbook: "FtleWorkersHeterogeneous",
        width: 24,
      }),
      lines({
        title: "Speed, of calibration",
        description:
          "Time that the work should have taken at the speed measured when the worker started, over the time it took; below 1 something else uses the machine, or it throttles.",
        unit: "percentunit",
        queries: [
          {
            expr: `instance_engine:ftle_worker_speed_of_calibrated:ratio_rate15m{${WORKERS}}`,
            legend: "{{instance}}",
          },
        ],
        min: 0,
        thresholds: SPEED,
        runbook: "FtleWorkersHeterogeneous",
        width: 8,
      }),
      lines({
        title: "Memory",
        description: "Resident, of the whole process with its threads.",
        unit: "bytes",
        queries: [{ expr: `process_resident_memory_bytes{${WORKERS}}`, legend: "{{instance}}" }],
        min: 0,
        width: 8,
      }),
      lines({
        title: "Processors",
        description: "Processors in use, by the whole process with its threads.",
        unit: "short",
        queries: [
          { expr: workerRate("process_cpu_seconds_total", "instance"), legend: "{{instance}}" },
        ],
        min: 0,
        width: 8,
      }),
      lines({
        title: "Lag of the event loop",
        description:
          "99 % of the main thread's turns were no later. Seconds of it endanger leases and heartbeats.",
        unit: "s",
        queries: [{ expr: `nodejs_eventloop_lag_p99_seconds{${WORKERS}}`, legend: "{{instance}}" }],
        min: 0,
        thresholds: [
          [null, "green"],
          [1, "red"],
        ],
        runbook: "FtleRedeliveryHigh",
        width: 12,
      }),
      bars({
        title: "Versions",
        description: "Processes, workers and coordinators, by version of ftle and of Node.",
        unit: "short",
        queries: [
          {
            expr: "count by (job, version, node) (ftle_build_info)",
            legend: "{{job}} {{version}} on Node {{node}}",
          },
        ],
        min: 0,
        width: 12,
      }),
    ],
  },
  {
    title: "At the broker",
    panels: [
      heat({
        title: "Waits",
        description:
          "How long free threads waited for their next task: long waits beside a long queue mean a slow broker or network.",
        unit: "s",
        queries: [
          {
            expr: `sum by (le) (increase(ftle_worker_task_wait_seconds_bucket{${WORKERS}}[$__rate_interval]))`,
            legend: "{{le}}",
          },
        ],
        runbook: "FtleWorkersStarved",
        width: 8,
      }),
      lines({
        title: "Leases and checkpoints",
        description: "Leases extended, and checkpoints of trainings saved, a second.",
        unit: "ops",
        queries: [
          {
            expr: `sum(rate(ftle_worker_lease_extensions_total{${WORKERS}}[$__rate_interval]))`,
            legend: "leases extended",
          },
          {
            expr: `sum(rate(ftle_worker_checkpoints_total{${WORKERS}}[$__rate_interval]))`,
            legend: "checkpoints",
          },
        ],
        min: 0,
        width: 8,
      }),
      lines({
        title: "Weights found in the cache",
        description:
          "Share of the weights needed for fields that a worker had already; the others came from the broker.",
        unit: "percentunit",
        queries: [
          {
            expr: `sum(rate(ftle_worker_weights_reads_total{${WORKERS},source="cache"}[$__rate_interval])) / (sum(rate(ftle_worker_weights_reads_total{${WORKERS}}[$__rate_interval])) > 0)`,
            legend: "from the cache",
          },
        ],
        min: 0,
        max: 1,
        width: 8,
      }),
    ],
  },
];
