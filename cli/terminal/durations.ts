import { InvalidArgumentError } from "commander";

/** `90s`, `30m`, `12h`. */
export function milliseconds(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const units: Record<string, number> = { ms: 1, s: 1e3, m: 6e4, h: 3.6e6 };
  const value = Number(match?.[1]) * (units[match?.[2] ?? ""] ?? Number.NaN);
  if (value > 0) return value;
  throw new InvalidArgumentError(`Expected a duration such as 90s, 30m or 12h, got ${text}.`);
}
