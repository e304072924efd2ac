import { UsageError } from "../../../shared/errors.ts";
import { axisNames } from "../../spec/axis-names.ts";
import { MAX_COMBINATIONS } from "../../spec/lattice-faults.ts";
import type { Axes, ParameterAxis, Sweep } from "../../spec/sweep.ts";
import type { FlatRow } from "../summary.ts";
import { columnValue } from "./table.ts";

/** One dimension of the lattice: an axis of the sweep, with its values in order. */
export interface Dimension {
  /** `weightVariance`, `logGain`, `seed`, `width`, `depth`, `hidden`, `snapshot`, or that of a parameter. */
  readonly name: string;
  readonly labels: readonly (string | number)[];
}

/**
 * The dimensions of a sweep's lattice: `weightVariance` or `logGain`, depending on which is the axis; `seed`;
 * the parameters; `width` and `depth`, or `hidden`; `snapshot`. Zipped axes have a dimension each.
 *
 * @throws UsageError if, because of zipped axes, the lattice has far more places than the sweep has cells.
 */
export function latticeOf({ axes, training }: Sweep): Dimension[] {
  const { layers, weightVariance, seed, parameters = [] } = axes;
  const isGain = weightVariance.kind === "logGain";
  const isImported = layers.kind === "imported"; // not random
  const dimensions = [
    ...(isImported
      ? []
      : [dimension(isGain ? "logGain" : "weightVariance", weightVariance.values)]),
    dimension("seed", seed),
    ...parameterDimensions(parameters),
    ...layerDimensions(layers),
    dimension("snapshot", training.snapshots.map(String)),
  ];
  const places = dimensions.reduce((count, { labels }) => count * labels.length, 1);
  if (places <= MAX_COMBINATIONS) return dimensions;
  const found = dimensions.map(({ name, labels }) => `${labels.length} of ${name}`).join(" × ");
  throw new UsageError(
    `expected a lattice of at most ${MAX_COMBINATIONS} places, found ${found}; export a table instead`,
  );
}

/** Finds a row's place in a lattice: its index along each of the dimensions. */
export function placesIn(dimensions: readonly Dimension[]): (row: FlatRow) => number[] {
  const indices = dimensions.map(({ name, labels }) => {
    return { name, index: new Map(labels.map((label, i) => [String(label), i])) };
  });
  return (row) => indices.map(({ name, index }) => index.get(String(row[name]))!);
}

function parameterDimensions(parameters: readonly ParameterAxis[]): Dimension[] {
  const names = axisNames(parameters.map(({ path }) => path));
  return parameters.map(({ path, values }) => dimension(names.get(path)!, values.map(columnValue)));
}

function layerDimensions(layers: Axes["layers"]): Dimension[] {
  if (layers.kind === "lattice") {
    return [dimension("width", layers.width), dimension("depth", layers.depth)];
  }
  if (layers.kind === "imported") return []; // their files are an axis of its own
  const labels = layers.hidden.map((widths) => widths.join("-"));
  return [dimension("hidden", labels)];
}

/** Zipped axes may contain a value twice. */
function dimension(name: Dimension["name"], labels: Dimension["labels"]): Dimension {
  return { name, labels: [...new Set(labels)] };
}
