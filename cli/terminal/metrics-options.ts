/** Where metrics are served: options that several commands share. */
import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import type { MetricsAddress } from "../../shared/metrics/server.ts";
import { parseMetricsAddress } from "../../shared/metrics/server.ts";
import { milliseconds } from "./durations.ts";

export interface MetricsFlags {
  readonly metrics?: MetricsAddress;
}

export interface CoordinatorMetricsFlags extends MetricsFlags {
  readonly metricsLinger: number;
  readonly deadline?: number;
}

export function metricsOption(port: number): Option {
  const read = (text: string): MetricsAddress => {
    const address = parseMetricsAddress(text);
    if (address !== null) return address;
    throw new InvalidArgumentError(`Expected host:port or a port, got ${text}.`);
  };
  return new Option(
    "--metrics [address]",
    `serve Prometheus metrics and health there (host:port or port; alone: 127.0.0.1:${port})`,
  )
    .argParser(read)
    .preset(String(port))
    .env("FTLE_METRICS");
}

export function withCoordinatorMetrics(target: Command, port: number): Command {
  return target
    .addOption(metricsOption(port))
    .addOption(
      new Option(
        "--metrics-linger <duration>",
        "how long to wait at the end for a last scrape, if there were any before",
      )
        .argParser(milliseconds)
        .default(60_000, "60s"),
    )
    .addOption(
      new Option(
        "--deadline <time>",
        "when the sweep should be complete (2026-12-24T18:00Z, or 36h from now), for metrics and alerts",
      ).argParser(moment),
    );
}

/** An ISO 8601 time, or a duration from now on; in milliseconds since the epoch. */
export function moment(text: string): number {
  const date = /^\d{4}-\d\d-\d\d/.exec(text)?.[0];
  const time = date === undefined ? Number.NaN : Date.parse(text);
  if (!Number.isNaN(time)) {
    refuseNoDate(date!, text);
    return time;
  }
  try {
    return Date.now() + milliseconds(text);
  } catch {
    throw new InvalidArgumentError(
      `Expected a time such as 2026-12-24T18:00Z, or a duration such as 36h, got ${text}.`,
    );
  }
}

/** `Date.parse` takes 31 February for 3 March; it refuses all other dates that do not exist. */
function refuseNoDate(date: string, text: string): void {
  if (new Date(`${date}T00:00Z`).toISOString().startsWith(date)) return;
  const day = Number(date.slice(-2));
  throw new InvalidArgumentError(
    `Expected a day that exists, got ${text}: that month has no day ${day}.`,
  );
}
