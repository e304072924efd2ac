/** The axes by which results are arranged or selected: those of a sweep, and its snapshots. */
import type { Snapshot } from "../../shared/cell.ts";
import { UsageError } from "../../shared/errors.ts";
import { axisNamed, axisNames } from "../spec/axis-names.ts";
import type { LatticePoint } from "../spec/enumerate.ts";
import type { ParameterValue, Sweep } from "../spec/sweep.ts";

/** By the name of the axis, as people read it. */
export type PictureValues = Readonly<Record<string, string>>;

/** Names of the axes; those of parameters have the last part of their path where that is unambiguous. */
export function pictureAxes(sweep: Sweep): string[] {
  const parameters = [...axisNames(parameterPaths(sweep)).values()];
  return ["width", "depth", "hidden", "weightVariance", ...parameters, "snapshot", "seed"];
}

/** @throws UsageError if the sweep has no such axis. */
export function pictureAxis(sweep: Sweep, word: string): string {
  const axes = pictureAxes(sweep);
  if (axes.includes(word)) return word;
  const paths = parameterPaths(sweep);
  const path = axisNamed(word, paths);
  if (path !== undefined) return axisNames(paths).get(path)!;
  throw new UsageError(`expected an axis of the sweep, one of ${axes.join(", ")}; got ${word}`);
}

/** The values of the axes over parameters, by the axes' names. */
export function namedParameters({
  parameters,
}: Pick<LatticePoint, "parameters">): Record<string, ParameterValue> {
  const names = axisNames(Object.keys(parameters));
  const entries = Object.entries(parameters);
  return Object.fromEntries(entries.map(([path, value]) => [names.get(path)!, value]));
}

/** The place of a network at a snapshot on every axis; empty where the sweep does not have it. */
export function pictureValues(
  sweep: Sweep,
  { point, snapshot }: { readonly point: LatticePoint; readonly snapshot: Snapshot },
): PictureValues {
  const { width, depth, hidden, weightVariance, logGain, seed } = point;
  const { kind } = sweep.axes.layers;
  const isLattice = kind === "lattice";
  const parameters = Object.entries(namedParameters(point));
  return {
    width: isLattice ? String(width) : "",
    depth: isLattice ? String(depth) : "",
    hidden: kind === "explicit" ? hidden.join("-") : "",
    weightVariance: kind === "imported" ? "" : varianceValue(sweep, { weightVariance, logGain }),
    ...Object.fromEntries(parameters.map(([name, value]) => [name, String(value)])),
    snapshot: String(snapshot),
    seed: String(seed),
  };
}

/** A value on the axis of weight variances; with a fixed gain the variance itself depends on the width. */
function varianceValue(
  { axes }: Sweep,
  { weightVariance, logGain }: { weightVariance: number; logGain: number },
): string {
  if (axes.weightVariance.kind === "absolute") return String(weightVariance);
  return logGain === 0 ? "critical" : `logGain ${logGain}`;
}

/** Whether a value as the user writes it is this one: `1e-3` is 0.001, and `0.3` the gain with that logarithm. */
export function isValue(asked: string, value: string): boolean {
  if (asked === value) return true;
  const numbers = [asked, value].map((text) => text.replace(/^logGain /, "").trim());
  return numbers.every((text) => text !== "") && Number(numbers[0]) === Number(numbers[1]);
}

/** A value with its axis, for the labels of figures. */
export function axisLabel(axis: string, value: string): string {
  if (value === "") return "";
  switch (axis) {
    case "width":
      return `N = ${value}`;
    case "depth":
      return `L = ${value}`;
    case "hidden":
      return value;
    case "weights":
      return value.replace(/^.*[\\/]/, ""); // the file without its folder
    case "seed":
      return `seed ${value}`;
    case "snapshot":
      return value === "end" ? "after training" : epochLabel(value);
    case "weightVariance":
      return varianceLabel(value);
    default:
      return `${axis} ${Number.isNaN(Number(value)) ? value : `= ${short(value)}`}`;
  }
}

function varianceLabel(value: string): string {
  if (value === "critical") return value;
  const gain = /^logGain (.*)/.exec(value)?.[1];
  return gain === undefined ? `σ_w² = ${short(value)}` : `ln(GNσ_w²) = ${short(gain)}`;
}

/** At most four digits, and a typographic minus sign. */
function short(value: string): string {
  return String(Number(Number(value).toPrecision(4))).replace("-", "−");
}

function epochLabel(snapshot: string): string {
  return snapshot === "0" ? "initial" : `epoch ${snapshot}`;
}

function parameterPaths({ axes }: Sweep): string[] {
  return (axes.parameters ?? []).map(({ path }) => path);
}
