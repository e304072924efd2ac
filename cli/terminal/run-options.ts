/** Options of commands that compute. */
import type { Command } from "commander";
import { Option } from "commander";
import { METRICS_PORTS } from "../../shared/metrics/ports.ts";
import { leasePolicy } from "../../shared/transport/transport.ts";
import { defaultThreads } from "../../worker/thread-count.ts";
import { withBrokerOptions } from "./broker-options.ts";
import { leaseMilliseconds, milliseconds } from "./durations.ts";
import { withCoordinatorMetrics } from "./metrics-options.ts";
import { positiveInteger } from "./numbers.ts";

export function withThreadOptions(target: Command): Command {
  return target
    .addOption(
      new Option("-t, --threads <n>", "threads that compute")
        .argParser(positiveInteger)
        .default(defaultThreads())
        .env("FTLE_THREADS"),
    )
    .addOption(
      new Option("--task-timeout <duration>", "stop a task that runs longer, e.g. 30m or 12h")
        .argParser(milliseconds)
        .default(Number.POSITIVE_INFINITY, "never"),
    );
}

export function withRunOptions(target: Command): Command {
  const common = withBrokerOptions(withThreadOptions(target));
  return withCoordinatorMetrics(common, METRICS_PORTS.coordinator)
    .option("--cluster", "start a broker and worker processes on this machine, and use them")
    .addOption(
      new Option("--priority <lane>", "at a broker: which sweeps workers serve first")
        .choices(["high", "normal"])
        .default("normal"),
    )
    .addOption(
      new Option("--lease <duration>", "at a broker: how long a worker may be silent about a task")
        .argParser(leaseMilliseconds)
        .default(leasePolicy.leaseMs, "60s"),
    )
    .option("--keep", "leave the sweep's messages on the broker when it is complete")
    .option("--data <dir>", "where the files of the data set are, if not where the spec says")
    .option("--no-plot", "do not draw the figures at the end");
}

export interface RunFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly threads: number;
  readonly taskTimeout: number;
  readonly cluster?: boolean;
  readonly priority: "high" | "normal";
  readonly lease: number;
  readonly keep?: boolean;
  /** Where the files of the data set are. */
  readonly data?: string;
  readonly plot: boolean;
}
