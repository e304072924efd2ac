/** How fast a sweep goes, and what holds it up. */
import type { Section } from "./layout.ts";
import { heat, lines } from "./panels.ts";
import { ONE_SWEEP, ofSweep } from "./selectors.ts";

/** Of the coordinator that runs the sweep, among metrics that do not name it. */
const itsCoordinator = `and on (job, instance) ftle_sweep_info{${ONE_SWEEP}}`;
const itsEngine = `and on (engine) ftle_sweep_info{${ONE_SWEEP}}`;

const duration = (quantile: number) =>
  `histogram_quantile(${quantile}, sum by (le, kind) (rate(ftle_sweep_task_duration_seconds_bucket{${ONE_SWEEP}}[$__rate_interval])))`;
const storing = (quantile: number) =>
  `histogram_quantile(${quantile}, sum by (le) (rate(ftle_sweep_store_duration_seconds_bucket[$__rate_interval]) ${itsCoordinator}))`;

export const sweepWork: readonly Section[] = [
  {
    title: "Throughput",
    panels: [
      lines({
        title: "Results stored",
        description: "Tasks a second whose result was stored, by kind.",
        unit: "ops",
        queries: [
          {
            expr: `sum by (kind) (rate(ftle_sweep_task_duration_seconds_count{${ONE_SWEEP}}[$__rate_interval]))`,
            legend: "{{kind}}",
          },
        ],
        min: 0,
        width: 8,
      }),
      lines({
        title: "Arithmetic",
        description:
          "Estimated floating-point operations a second: of results as they are stored, and of the workers of its engine, who may serve other sweeps, too.",
        unit: "flops",
        queries: [
          {
            expr: `max(rate(ftle_sweep_operations_done_total{${ONE_SWEEP}}[$__rate_interval]))`,
            legend: "stored",
          },
          {
            expr: `sum(rate(ftle_worker_operations_total[$__rate_interval]) ${itsEngine})`,
            legend: "computed by workers",
          },
        ],
        min: 0,
        width: 8,
      }),
      lines({
        title: "Points and samples",
        description:
          "Grid points whose λ₁ was computed, and samples trained on, a second, by the workers of the sweep's engine.",
        unit: "cps",
        queries: [
          {
            expr: `sum(rate(ftle_worker_points_total[$__rate_interval]) ${itsEngine})`,
            legend: "points",
          },
          {
            expr: `sum(rate(ftle_worker_samples_total[$__rate_interval]) ${itsEngine})`,
            legend: "samples",
          },
        ],
        min: 0,
        width: 8,
      }),
      heat({
        title: "Durations of tasks",
        description: "How long tasks took whose results were stored. They are cut for 1 to 10 s.",
        unit: "s",
        queries: [
          {
            expr: `sum by (le) (increase(ftle_sweep_task_duration_seconds_bucket{${ONE_SWEEP}}[$__rate_interval]))`,
            legend: "{{le}}",
          },
        ],
        width: 12,
      }),
      lines({
        title: "Durations of tasks, quantiles",
        description: "Half of the tasks, and 99 % of them, took no longer.",
        unit: "s",
        queries: [
          { expr: duration(0.5), legend: "50 % {{kind}}" },
          { expr: duration(0.99), legend: "99 % {{kind}}" },
        ],
        min: 0,
        width: 12,
      }),
    ],
  },
  {
    title: "Trouble",
    panels: [
      lines({
        title: "Attempts too many",
        description:
          "Attempts beyond the first, results that came too late and were refused, and tasks given up.",
        unit: "short",
        queries: [
          {
            expr: `max(increase(ftle_sweep_task_retries_total{${ONE_SWEEP}}[$__rate_interval]))`,
            legend: "retries",
          },
          {
            expr: `max(increase(ftle_sweep_late_results_total{${ONE_SWEEP}}[$__rate_interval]))`,
            legend: "late",
          },
          {
            expr: `sum(max by (kind) (ftle_sweep_tasks{${ONE_SWEEP},state="dead"}))`,
            legend: "given up, in all",
          },
        ],
        min: 0,
        runbook: "FtleRedeliveryHigh",
        width: 8,
      }),
      lines({
        title: "Queue",
        description: "Tasks at the broker: those that wait, and those that a worker has.",
        unit: "short",
        queries: [
          { expr: ofSweep("ftle_queue_pending_tasks"), legend: "waiting" },
          { expr: ofSweep("ftle_queue_in_flight_tasks"), legend: "in flight" },
        ],
        isStacked: true,
        min: 0,
        noValue: "no broker",
        runbook: "FtleNoWorkers",
        width: 8,
      }),
      lines({
        title: "Time to store a result",
        description:
          "To check it and write it, fsync included. If this is slower than results come, the coordinator's disk sets the pace.",
        unit: "s",
        queries: [
          { expr: storing(0.5), legend: "50 %" },
          { expr: storing(0.99), legend: "99 %" },
        ],
        min: 0,
        width: 8,
      }),
    ],
  },
];
