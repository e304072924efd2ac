/** Options that several commands share, and how their values are read. */
import { Command, InvalidArgumentError, Option } from "commander";
import type { Sweep } from "../../coordinator/spec/sweep.ts";
import { METRICS_PORTS } from "../../shared/metrics/registry.ts";
import { leasePolicy } from "../../shared/transport/transport.ts";
import { engines } from "../../worker/engines/registry.ts";
import { defaultThreads } from "../../worker/thread-count.ts";
import { withBrokerOptions } from "./broker-options.ts";
import { milliseconds } from "./durations.ts";
import { withCoordinatorMetrics } from "./metrics-options.ts";

/** A command with `--json` and `--quiet`, and its examples below the help. */
export function command(name: string, description: string, examples: readonly string[]): Command {
  const indented = examples.map((example) => `  $ ftle ${example}`).join("\n");
  return new Command(name)
    .description(description)
    .option("--json", "print the result as JSON on standard output")
    .option("-q, --quiet", "print nothing but errors")
    .addHelpText("after", `\nExamples:\n${indented}`);
}

/** The engine that a new sweep is computed with, above what its spec says. */
export function engineOption(): Option {
  return new Option(
    "--engine <name>",
    "what does the arithmetic, instead of what the spec says",
  ).choices(["auto", ...Object.keys(engines)]);
}

export interface EngineFlag {
  readonly engine?: Sweep["engine"];
}

export function withEngine<T extends { readonly sweep: Sweep }>(
  read: T,
  { engine }: EngineFlag,
): T {
  return engine === undefined ? read : { ...read, sweep: { ...read.sweep, engine } };
}

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
      new Option("--priority <lane>", "at a broker: whom workers serve first")
        .choices(["high", "normal"])
        .default("normal"),
    )
    .addOption(
      new Option("--lease <duration>", "at a broker: how long a worker may be silent about a task")
        .argParser(milliseconds)
        .default(leasePolicy.leaseMs, "60s"),
    )
    .option("--keep", "leave the sweep's messages on the broker when it is complete")
    .option("--no-plot", "do not draw the figures at the end");
}

export interface RunFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly threads: number;
  readonly taskTimeout: number;
  readonly plot: boolean;
}

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError(`Expected an integer ≥ 1, got ${text}.`);
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError(`Expected a number > 0, got ${text}.`);
}

/** `5%` or `0.05`; in (0, 1]. */
export function share(text: string): number {
  const value = text.endsWith("%") ? Number(text.slice(0, -1)) / 100 : Number(text);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError(`Expected a share such as 5% or 0.05, got ${text}.`);
}

/** `500MB`, `4GB`, `1048576`: powers of 1000. */
export function byteCount(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(kB|MB|GB|TB)?$/.exec(text);
  const units: Record<string, number> = { kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };
  const value = Math.round(Number(match?.[1]) * (units[match?.[2] ?? ""] ?? 1));
  if (value >= 1) return value;
  throw new InvalidArgumentError(`Expected a size such as 500MB or 4GB, got ${text}.`);
}
