/** One sweep: how far, how fast, until when, with what results. */
import { dashboard } from "./layout.ts";
import { bars, buckets, dial, lines, number } from "./panels.ts";
import { ONE_SWEEP, ofSweep } from "./selectors.ts";
import { sweepWork } from "./sweep-work.ts";

const COLOURS = {
  running: "green",
  paused: "yellow",
  complete: "blue",
  interrupted: "orange",
  cancelled: "orange",
  failed: "red",
} as const;
const TASKS = { done: "green", leased: "blue", pending: "light-blue", dead: "red" } as const;
const CELLS = { trained: "green", missing: "light-blue", diverged: "orange", dead: "red" } as const;

export const sweep = dashboard({
  page: "sweep",
  description: "Progress, time to completion, throughput, failures and first results of one sweep.",
  variables: ["sweep"],
  sections: [
    {
      title: "Now",
      panels: [
        number({
          title: "State",
          description: "What the sweep does, as its coordinator reports; empty when none runs.",
          unit: "none",
          queries: [
            { expr: `max by (state) (ftle_sweep_state{${ONE_SWEEP}}) == 1`, legend: "{{state}}" },
          ],
          text: "name",
          colours: COLOURS,
          noValue: "no coordinator",
          runbook: "FtleCoordinatorDown",
          width: 4,
        }),
        dial({
          title: "Progress",
          description: "Share of the estimated floating-point operations that is stored.",
          unit: "percentunit",
          queries: [{ expr: `sweep:ftle_sweep_progress:ratio{${ONE_SWEEP}}` }],
          min: 0,
          max: 1,
          decimals: 1,
          thresholds: [[null, "blue"]],
          width: 4,
        }),
        number({
          title: "Time left",
          description:
            "Until the sweep is complete, from the work left and the workers that are there.",
          unit: "s",
          queries: [
            {
              expr: `${ofSweep("ftle_sweep_predicted_completion_timestamp_seconds")} - time()`,
            },
          ],
          noValue: "not known",
          width: 4,
        }),
        number({
          title: "Time to spare",
          description:
            "Between predicted completion and the deadline (--deadline); red: it will be late.",
          unit: "s",
          queries: [
            {
              expr: `${ofSweep("ftle_sweep_deadline_timestamp_seconds")} - ${ofSweep("ftle_sweep_predicted_completion_timestamp_seconds")}`,
            },
          ],
          thresholds: [
            [null, "red"],
            [0, "green"],
          ],
          noValue: "no deadline",
          runbook: "FtleEtaSlip",
          width: 4,
        }),
        number({
          title: "Last result",
          description: "Time since a result was stored last; after that, since the run began.",
          unit: "s",
          queries: [{ expr: `time() - ${ofSweep("ftle_sweep_last_progress_timestamp_seconds")}` }],
          thresholds: [
            [null, "green"],
            [300, "yellow"],
            [600, "red"],
          ],
          runbook: "FtleSweepStalled",
          width: 4,
        }),
        number({
          title: "Given up",
          description: "Tasks given up (dead letters): `ftle status` has their reasons.",
          unit: "short",
          queries: [{ expr: `sum(max by (kind) (ftle_sweep_tasks{${ONE_SWEEP},state="dead"}))` }],
          thresholds: [
            [null, "green"],
            [1, "red"],
          ],
          runbook: "FtleDeadLetters",
          width: 4,
        }),
      ],
    },
    {
      title: "Progress",
      panels: [
        lines({
          title: "Completion, as predicted",
          description:
            "The prediction should lie level, below the deadline; the sweep ends where now meets it.",
          unit: "dateTimeAsIso",
          queries: [
            {
              expr: `1000 * ${ofSweep("ftle_sweep_predicted_completion_timestamp_seconds")}`,
              legend: "predicted",
            },
            {
              expr: `1000 * ${ofSweep("ftle_sweep_deadline_timestamp_seconds")}`,
              legend: "deadline",
            },
            { expr: "1000 * vector(time())", legend: "now" },
          ],
          colours: { predicted: "blue", deadline: "red", now: "text" },
          runbook: "FtleEtaSlip",
          width: 8,
        }),
        lines({
          title: "Progress",
          description: "Share of the estimated floating-point operations that is stored.",
          unit: "percentunit",
          queries: [{ expr: `sweep:ftle_sweep_progress:ratio{${ONE_SWEEP}}`, legend: "stored" }],
          min: 0,
          max: 1,
          width: 8,
        }),
        lines({
          title: "Tasks",
          description: "By state. Tiles of networks that are not trained yet are pending.",
          unit: "short",
          queries: [
            {
              expr: `sum by (state) (max by (kind, state) (ftle_sweep_tasks{${ONE_SWEEP}}))`,
              legend: "{{state}}",
            },
          ],
          colours: TASKS,
          isStacked: true,
          min: 0,
          width: 8,
        }),
      ],
    },
    ...sweepWork,
    {
      title: "Results",
      panels: [
        bars({
          title: "Networks",
          description: "Cells of the lattice, by status.",
          unit: "short",
          queries: [
            { expr: `max by (status) (ftle_sweep_cells{${ONE_SWEEP}})`, legend: "{{status}}" },
          ],
          colours: CELLS,
          min: 0,
          width: 6,
        }),
        number({
          title: "Diverged",
          description: "Of the networks trained so far, the share whose training diverged.",
          unit: "percentunit",
          queries: [
            {
              expr: `max(ftle_sweep_cells{${ONE_SWEEP},status="diverged"}) / sum(max by (status) (ftle_sweep_cells{${ONE_SWEEP},status=~"trained|diverged"}))`,
            },
          ],
          decimals: 1,
          thresholds: [
            [null, "green"],
            [0.1, "yellow"],
            [0.5, "red"],
          ],
          noValue: "none trained",
          runbook: "FtleDivergedCells",
          width: 3,
          height: 4,
        }),
        number({
          title: "Damaged files",
          description: "Files of the store found damaged when the run began, and restored.",
          unit: "short",
          queries: [{ expr: ofSweep("ftle_sweep_damaged_files") }],
          thresholds: [
            [null, "green"],
            [1, "red"],
          ],
          width: 3,
          height: 4,
        }),
        buckets({
          title: "Accuracy",
          description:
            "Networks by accuracy on the test split at the end of training; beside each bar the most that it holds.",
          unit: "short",
          queries: [
            {
              expr: `max by (le) (ftle_sweep_cell_test_accuracy_ratio_bucket{${ONE_SWEEP}})`,
              legend: "{{le}}",
            },
          ],
          min: 0,
          width: 6,
        }),
        buckets({
          title: "Mean of λ₁",
          description:
            "Networks by the mean of λ₁ over their last field; beside each bar the most that it holds.",
          unit: "short",
          queries: [
            {
              expr: `max by (le) (ftle_sweep_cell_lambda1_mean_bucket{${ONE_SWEEP}})`,
              legend: "{{le}}",
            },
          ],
          min: 0,
          width: 6,
        }),
      ],
    },
  ],
});
