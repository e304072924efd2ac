/** The metrics that mirror a sweep's numbers. All have the label `sweep`. */
import type { MirroredMetric } from "./mirrored-metric.ts";
import { single } from "./mirrored-metric.ts";
import type { SweepNumbers } from "./sweep-numbers.ts";
import { CELL_STATUSES, SWEEP_STATES, TASK_STATES } from "./sweep-numbers.ts";

type SweepMetric = MirroredMetric<SweepNumbers>;

const IDENTITY: readonly SweepMetric[] = [
  {
    type: "gauge",
    name: "ftle_sweep_info",
    help: "1; the labels are the sweep's id, as in `ftle status` and in subjects at the broker, and its engine.",
    labels: ["id", "engine"],
    samples: ({ id, engine }) => [[{ id, engine }, 1]],
  },
  {
    type: "gauge",
    name: "ftle_sweep_state",
    help: `1 for the sweep's state, 0 for the others: ${SWEEP_STATES.join(", ")}.`,
    labels: ["state"],
    samples: (numbers) =>
      SWEEP_STATES.map((state) => [{ state }, state === numbers.state ? 1 : 0] as const),
  },
];

const TIMES: readonly SweepMetric[] = [
  {
    type: "gauge",
    name: "ftle_sweep_start_timestamp_seconds",
    help: "When this coordinator began to run the sweep.",
    samples: ({ start }) => single(start),
  },
  {
    type: "gauge",
    name: "ftle_sweep_last_progress_timestamp_seconds",
    help: "When a result was last stored; before the first, when the run began.",
    samples: ({ lastProgress }) => single(lastProgress),
  },
  {
    type: "gauge",
    name: "ftle_sweep_predicted_completion_timestamp_seconds",
    help: "When the sweep will be complete, estimated from the remaining work and the present workers; absent without workers and after the sweep has ended.",
    samples: ({ predictedCompletion }) => single(predictedCompletion),
  },
  {
    type: "gauge",
    name: "ftle_sweep_deadline_timestamp_seconds",
    help: "When the sweep should be complete (`--deadline`); absent if none was set.",
    samples: ({ deadline }) => single(deadline),
  },
];

const WORK: readonly SweepMetric[] = [
  {
    type: "gauge",
    name: "ftle_sweep_operations",
    help: "Estimated floating-point operations of the whole sweep, without tasks that were given up and fields of networks whose training diverged or was given up.",
    samples: ({ operations }) => single(operations),
  },
  {
    type: "counter",
    name: "ftle_sweep_operations_done_total",
    help: "Estimated floating-point operations of the results in the store.",
    samples: ({ operationsDone }) => single(operationsDone),
  },
  {
    type: "gauge",
    name: "ftle_sweep_tasks",
    help: `Tasks by kind and state: ${TASK_STATES.join(", ")}. A task is done when its result is stored; tiles of cells that are not trained yet are pending.`,
    labels: ["kind", "state"],
    samples: ({ tasks, kinds }) =>
      TASK_STATES.flatMap((state) =>
        kinds.map((kind) => [{ kind, state }, tasks[state][kind]] as const),
      ),
  },
  {
    type: "gauge",
    name: "ftle_sweep_cells",
    help: `Cells (networks) by status: ${CELL_STATUSES.join(", ")}.`,
    labels: ["status"],
    samples: ({ cells }) => CELL_STATUSES.map((status) => [{ status }, cells[status]] as const),
  },
];

const TROUBLE: readonly SweepMetric[] = [
  {
    type: "counter",
    name: "ftle_sweep_task_retries_total",
    help: "Attempts after the first, of tasks that ended while this coordinator ran.",
    samples: ({ retries }) => single(retries),
  },
  {
    type: "counter",
    name: "ftle_sweep_late_results_total",
    help: "Outcomes of tasks that already had one; they were ignored.",
    samples: ({ late }) => single(late),
  },
  {
    type: "gauge",
    name: "ftle_sweep_damaged_files",
    help: "Files of the store that were damaged when the run began; their results are computed again.",
    samples: ({ damaged }) => single(damaged),
  },
];

const QUEUE: readonly SweepMetric[] = [
  {
    type: "gauge",
    name: "ftle_queue_pending_tasks",
    help: "Tasks at the broker that wait for a worker.",
    samples: ({ queue }) => single(queue?.pending ?? null),
  },
  {
    type: "gauge",
    name: "ftle_queue_in_flight_tasks",
    help: "Tasks at the broker that a worker has leased.",
    samples: ({ queue }) => single(queue?.inFlight ?? null),
  },
  {
    type: "gauge",
    name: "ftle_queue_redelivered_tasks",
    help: "Tasks at the broker that are not done and were delivered more than once.",
    samples: ({ queue }) => single(queue?.redelivered ?? null),
  },
];

export const mirroredSweepMetrics: readonly SweepMetric[] = [
  ...IDENTITY,
  ...TIMES,
  ...WORK,
  ...TROUBLE,
  ...QUEUE,
];
