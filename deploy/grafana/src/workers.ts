/** The fleet: who is there, what they do, how fast, and who is slow. */
import { dashboard } from "./layout.ts";
import { lines, number } from "./panels.ts";
import { UTILISATION, WORKERS, workerRate } from "./selectors.ts";
import { workerMachines } from "./worker-machines.ts";

const quantile = (share: number, metric: string, by = "le") =>
  `histogram_quantile(${share}, ${workerRate(`${metric}_bucket`, by)})`;

export const workers = dashboard({
  page: "workers",
  description: "Workers and their threads: who is there, utilisation, speed, waits, memory.",
  variables: ["job", "instance"],
  sections: [
    {
      title: "Fleet, as coordinators hear it",
      panels: [
        lines({
          title: "Workers",
          description: "At the broker, by engine; silent: no heartbeat came for 20 s.",
          unit: "short",
          queries: [
            {
              expr: "max by (engine, state) (ftle_workers)",
              legend: "{{engine}} {{state}}",
            },
          ],
          min: 0,
          runbook: "FtleNoWorkers",
          width: 8,
        }),
        lines({
          title: "Threads",
          description: "Of the workers that are alive, by engine.",
          unit: "short",
          queries: [{ expr: "max by (engine) (ftle_workers_threads)", legend: "{{engine}}" }],
          min: 0,
          width: 8,
        }),
        number({
          title: "Lost",
          description: "Workers that fell silent without saying that they end, in the time shown.",
          unit: "short",
          queries: [{ expr: "max(increase(ftle_workers_lost_total[$__range]))" }],
          decimals: 0,
          thresholds: [
            [null, "green"],
            [1, "orange"],
          ],
          runbook: "FtleWorkerLost",
          width: 4,
          height: 4,
        }),
        number({
          title: "Draining",
          description: "Workers that take no more tasks, because they are about to end.",
          unit: "short",
          queries: [{ expr: `sum(ftle_worker_draining{${WORKERS}})` }],
          thresholds: [
            [null, "green"],
            [1, "yellow"],
          ],
          width: 4,
          height: 4,
        }),
      ],
    },
    {
      title: "Work",
      panels: [
        lines({
          title: "Utilisation",
          description: "Share of the time in which a worker's threads have a task.",
          unit: "percentunit",
          queries: [
            {
              expr: `instance:ftle_worker_utilisation:ratio_rate5m{${WORKERS}}`,
              legend: "{{instance}}",
            },
          ],
          min: 0,
          max: 1,
          thresholds: UTILISATION,
          runbook: "FtleWorkersStarved",
          width: 8,
        }),
        lines({
          title: "Utilisation by engine",
          description:
            "Of all scraped workers of an engine; below a fifth beside waiting tasks, they starve.",
          unit: "percentunit",
          queries: [{ expr: "engine:ftle_worker_utilisation:ratio_rate5m", legend: "{{engine}}" }],
          min: 0,
          max: 1,
          thresholds: UTILISATION,
          showThresholds: true,
          runbook: "FtleWorkersStarved",
          width: 8,
        }),
        lines({
          title: "Arithmetic",
          description: "Estimated floating-point operations a second of each worker.",
          unit: "flops",
          queries: [
            {
              expr: `instance_engine:ftle_worker_operations:rate5m{${WORKERS}}`,
              legend: "{{instance}}",
            },
          ],
          min: 0,
          width: 8,
        }),
        lines({
          title: "Tasks, by how they ended",
          description:
            "done: stored first · late: another worker's was · failed, timeout, invalid · lost: the lease ended · returned: given back, because the worker ends.",
          unit: "ops",
          queries: [
            { expr: workerRate("ftle_worker_tasks_total", "outcome"), legend: "{{outcome}}" },
          ],
          colours: { done: "green", failed: "red", timeout: "orange", invalid: "purple" },
          isStacked: true,
          min: 0,
          runbook: "FtleTaskFailureRateHigh",
          width: 8,
        }),
        lines({
          title: "Failures",
          description: "Attempts of the last 15 minutes that failed, of all that came to an end.",
          unit: "percentunit",
          queries: [
            {
              expr: "kind:ftle_worker_task_failures:increase15m / (kind:ftle_worker_task_attempts:increase15m > 0)",
              legend: "{{kind}}",
            },
          ],
          min: 0,
          thresholds: [
            [null, "green"],
            [0.05, "red"],
          ],
          showThresholds: true,
          runbook: "FtleTaskFailureRateHigh",
          width: 8,
        }),
        lines({
          title: "Durations of tasks, median",
          description: "Time in a thread, by worker and kind.",
          unit: "s",
          queries: [
            {
              expr: quantile(0.5, "ftle_worker_task_duration_seconds", "le, instance, kind"),
              legend: "{{instance}} {{kind}}",
            },
          ],
          min: 0,
          runbook: "FtleWorkersHeterogeneous",
          width: 8,
        }),
      ],
    },
    ...workerMachines,
  ],
});
