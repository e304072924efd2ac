/** What Prometheus has of our processes: our metrics as the code registers them, and the process's own. */
import { collectDefaultMetrics, Registry } from "prom-client";
import { describedMetrics } from "../../../cli/metrics/reference.ts";
import { SWEEP_STATES, TASK_STATES } from "../../../coordinator/metrics/sweep-numbers.ts";
import { STREAMS } from "../../../shared/transport/nats/names.ts";
import { TASK_OUTCOMES } from "../../../worker/loop/worker-event.ts";
import { MEASURED_KINDS } from "../../../worker/metrics/task-kinds.ts";

export interface KnownMetric {
  readonly labels: ReadonlySet<string>;
  readonly isCounter: boolean;
}

/** What Prometheus adds to everything it scrapes. */
const TARGET_LABELS = ["job", "instance"];

/** What a label may be, where that is fixed; by metric and label. */
export const LABEL_VALUES: Readonly<Record<string, readonly string[]>> = {
  "ftle_sweep_state.state": SWEEP_STATES,
  "sweep_state:ftle_sweep_state:last1h.state": SWEEP_STATES,
  "ftle_sweep_tasks.state": TASK_STATES,
  "ftle_sweep_cells.status": ["missing", "trained", "diverged", "dead"],
  "ftle_workers.state": ["alive", "silent"],
  "ftle_worker_tasks_total.outcome": TASK_OUTCOMES,
  "ftle_worker_calibrated_operations_per_second.kind": MEASURED_KINDS,
  "ftle_worker_weights_reads_total.source": ["cache", "broker"],
  "ftle_broker_stream_messages.stream": Object.values(STREAMS),
  "ftle_broker_stream_bytes.stream": Object.values(STREAMS),
};

/** Counters whose value itself is meant: they mirror what the store holds. */
export const MIRRORS = new Set([
  "ftle_sweep_operations_done_total",
  "ftle_sweep_cell_test_accuracy_ratio_bucket",
  "ftle_sweep_cell_lambda1_mean_bucket",
]);

export function exportedMetrics(): Map<string, KnownMetric> {
  const known = new Map<string, KnownMetric>();
  const add = (name: string, type: string, labels: readonly string[]) => {
    const isHistogram = type === "histogram";
    for (const ending of isHistogram ? ["_bucket", "_sum", "_count"] : [""]) {
      const all = [...labels, ...TARGET_LABELS, ...(ending === "_bucket" ? ["le"] : [])];
      known.set(name + ending, {
        labels: new Set(all),
        isCounter: isHistogram || type === "counter",
      });
    }
  };
  for (const metrics of Object.values(describedMetrics())) {
    for (const { name, type, labels } of metrics) add(name, type, labels);
  }
  const ofProcess = new Registry();
  collectDefaultMetrics({ register: ofProcess });
  for (const metric of ofProcess.getMetricsAsArray()) {
    add(metric.name, metric.constructor.name.toLowerCase(), []);
  }
  for (const name of ["up", "scrape_duration_seconds", "scrape_samples_scraped"])
    add(name, "gauge", []);
  return known;
}
