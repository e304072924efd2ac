import { InvalidArgumentError } from "commander";

/** Ten years: longer than anything we wait for, and short enough to be counted in nanoseconds. */
const LONGEST_H = 87_600;

/** `90s`, `30m`, `12h`: whole milliseconds, at least one. */
export function milliseconds(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const units: Record<string, number> = { ms: 1, s: 1e3, m: 6e4, h: 3.6e6 };
  const value = Number(match?.[1]) * (units[match?.[2] ?? ""] ?? Number.NaN);
  if (value > LONGEST_H * units.h!) {
    throw new InvalidArgumentError(`Expected a duration of at most ${LONGEST_H}h, got ${text}.`);
  }
  if (value > 0) return Math.ceil(value);
  throw new InvalidArgumentError(`Expected a duration such as 90s, 30m or 12h, got ${text}.`);
}

/** A lease must outlast a worker's reports and the way to the broker. */
const SHORTEST_LEASE_MS = 100;

/** The duration of a lease: as `milliseconds`, and not too short to be kept. */
export function leaseMilliseconds(text: string): number {
  const value = milliseconds(text);
  if (value >= SHORTEST_LEASE_MS) return value;
  throw new InvalidArgumentError(`Expected at least ${SHORTEST_LEASE_MS}ms, got ${text}.`);
}
