/** What waits at the broker, what it holds, and who is connected. */
import { dashboard } from "./layout.ts";
import { bars, lines, number } from "./panels.ts";

const CHOSEN = 'sweep=~"$sweep"';

const bySweep = (metric: string) => `max by (sweep) (${metric}{${CHOSEN}})`;

export const broker = dashboard({
  page: "broker",
  description:
    "Queues, redeliveries, streams and connections, as coordinators and workers see them.",
  variables: ["sweep"],
  sections: [
    {
      title: "Now",
      panels: [
        number({
          title: "Connected",
          description: "Share of the coordinators, and of the workers, that have a connection.",
          unit: "percentunit",
          queries: [{ expr: "avg by (job) (ftle_broker_connected)", legend: "{{job}}" }],
          decimals: 0,
          thresholds: [
            [null, "red"],
            [0.51, "yellow"],
            [1, "green"],
          ],
          noValue: "no broker",
          runbook: "FtleBrokerDisconnected",
          width: 8,
        }),
        number({
          title: "Waiting",
          description: "Tasks at the broker that no worker has, of all chosen sweeps.",
          unit: "short",
          queries: [{ expr: `sum(${bySweep("ftle_queue_pending_tasks")})` }],
          noValue: "no broker",
          runbook: "FtleNoWorkers",
          width: 4,
        }),
        number({
          title: "In flight",
          description: "Tasks at the broker that a worker has.",
          unit: "short",
          queries: [{ expr: `sum(${bySweep("ftle_queue_in_flight_tasks")})` }],
          noValue: "no broker",
          width: 4,
        }),
        number({
          title: "Dead letters",
          description:
            "In the stream, of all sweeps: tasks given up, and messages that were not tasks.",
          unit: "short",
          queries: [{ expr: 'max(ftle_broker_stream_messages{stream="FTLE_DEAD"})' }],
          thresholds: [
            [null, "green"],
            [1, "red"],
          ],
          noValue: "no broker",
          runbook: "FtleDeadLetters",
          width: 4,
        }),
        number({
          title: "Fullest stream",
          description:
            "Of the streams with a limit, how full the fullest is. When FTLE_RESULTS is full, workers wait.",
          unit: "percentunit",
          queries: [{ expr: "max(stream:ftle_broker_stream_fill:ratio)" }],
          decimals: 0,
          thresholds: [
            [null, "green"],
            [0.5, "yellow"],
            [0.8, "red"],
          ],
          noValue: "no limits",
          runbook: "FtleBrokerStorageHigh",
          width: 4,
        }),
      ],
    },
    {
      title: "Queues",
      panels: [
        lines({
          title: "Lag",
          description: "Tasks that wait or are in flight, by sweep: what scaling by queue counts.",
          unit: "short",
          queries: [
            {
              expr: `max by (sweep) (ftle_queue_pending_tasks{${CHOSEN}} + ftle_queue_in_flight_tasks{${CHOSEN}})`,
              legend: "{{sweep}}",
            },
          ],
          isStacked: true,
          min: 0,
          width: 8,
        }),
        lines({
          title: "In flight",
          description: "Tasks that a worker has, by sweep.",
          unit: "short",
          queries: [{ expr: bySweep("ftle_queue_in_flight_tasks"), legend: "{{sweep}}" }],
          isStacked: true,
          min: 0,
          width: 8,
        }),
        lines({
          title: "Delivered again",
          description: "Tasks that were delivered more than once and are not done, by sweep.",
          unit: "short",
          queries: [{ expr: bySweep("ftle_queue_redelivered_tasks"), legend: "{{sweep}}" }],
          min: 0,
          runbook: "FtleRedeliveryHigh",
          width: 8,
        }),
        lines({
          title: "Attempts too many",
          description:
            "Attempts beyond the first and results refused as late, a second, by sweep. Both beside lost workers are usual; without them, leases are too short.",
          unit: "ops",
          queries: [
            {
              expr: `max by (sweep) (rate(ftle_sweep_task_retries_total{${CHOSEN}}[$__rate_interval]))`,
              legend: "{{sweep}} retries",
            },
            {
              expr: `max by (sweep) (rate(ftle_sweep_late_results_total{${CHOSEN}}[$__rate_interval]))`,
              legend: "{{sweep}} late",
            },
          ],
          min: 0,
          runbook: "FtleRedeliveryHigh",
          width: 8,
        }),
        lines({
          title: "Results handed in",
          description: "Bytes a second, weights not included, by all workers.",
          unit: "Bps",
          queries: [
            {
              expr: "sum(rate(ftle_worker_result_bytes_total[$__rate_interval]))",
              legend: "results",
            },
          ],
          min: 0,
          width: 8,
        }),
        lines({
          title: "Messages that were no tasks",
          description: "Found on queues by workers, and made dead letters.",
          unit: "short",
          queries: [
            {
              expr: "sum(increase(ftle_worker_foreign_messages_total[$__rate_interval]))",
              legend: "foreign",
            },
          ],
          min: 0,
          runbook: "FtleDeadLetters",
          width: 8,
        }),
      ],
    },
    {
      title: "Streams and connections",
      panels: [
        lines({
          title: "Bytes",
          description: "In each stream.",
          unit: "bytes",
          queries: [{ expr: "max by (stream) (ftle_broker_stream_bytes)", legend: "{{stream}}" }],
          min: 0,
          width: 8,
        }),
        bars({
          title: "Bytes, of the limit",
          description: "Of the streams that have one; the others end where the server's does.",
          unit: "percentunit",
          queries: [{ expr: "stream:ftle_broker_stream_fill:ratio", legend: "{{stream}}" }],
          min: 0,
          max: 1,
          thresholds: [
            [null, "green"],
            [0.5, "yellow"],
            [0.8, "red"],
          ],
          noValue: "no limits",
          runbook: "FtleBrokerStorageHigh",
          width: 8,
        }),
        lines({
          title: "Messages",
          description: "In each stream.",
          unit: "short",
          queries: [
            { expr: "max by (stream) (ftle_broker_stream_messages)", legend: "{{stream}}" },
          ],
          min: 0,
          width: 8,
        }),
        lines({
          title: "Connected",
          description: "Processes with a connection, by job.",
          unit: "short",
          queries: [{ expr: "sum by (job) (ftle_broker_connected)", legend: "{{job}}" }],
          min: 0,
          runbook: "FtleBrokerDisconnected",
          width: 12,
        }),
        lines({
          title: "Reconnects",
          description:
            "Connections that came back, by job: many mean an unsteady network or broker.",
          unit: "short",
          queries: [
            {
              expr: "sum by (job) (increase(ftle_broker_reconnects_total[$__rate_interval]))",
              legend: "{{job}}",
            },
          ],
          min: 0,
          runbook: "FtleBrokerDisconnected",
          width: 12,
        }),
      ],
    },
  ],
});
