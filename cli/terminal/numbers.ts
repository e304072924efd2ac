/** How numbers on the command line are read. */
import { InvalidArgumentError } from "commander";

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
