/** The lattice of a sweep: its combinations of axis values, in order. */
import { exp, log } from "../../shared/numerics/elementary.ts";
import { criticalGain } from "../../shared/numerics/initialise.ts";
import type { Activation } from "../../shared/numerics/network.ts";
import { type Dimension, dimensionsOf } from "./dimensions.ts";
import { WEIGHTS } from "./parameters.ts";
import type { Axes, AxisName, ParameterAxis, ParameterValues, Sweep } from "./sweep.ts";
import { compileWhere, type WhereValues } from "./where.ts";

/** What the lattice depends on. */
export type Lattice = Pick<Sweep, "axes" | "zip" | "where" | "networks"> & {
  readonly network: Pick<Sweep["network"], "activation">;
};

/** One combination of axis values. */
export interface LatticePoint extends WhereValues {
  /** Widths of the hidden layers; `width` is the largest, `depth` their number. */
  readonly hidden: readonly number[];
  /** Position on each axis of the sweep, from 0. */
  readonly index: LatticeIndex;
}

export type LatticeIndex = Readonly<Partial<Record<AxisName, number>>>;

/** How many combinations the axes have, before `where` removes any. */
export function countCombinations(sweep: Lattice): number {
  const dimensions = dimensionsOf(axisLengths(sweep.axes), sweep.zip);
  return dimensions.reduce((count, { length }) => count * length, 1);
}

/**
 * Every combination that satisfies `where`: seed slowest, then the parameters, then weight variance, then width (or
 * `hidden`), depth fastest. Zipped axes move in step, in the place of the slowest of them.
 */
export function* combinations(sweep: Lattice): Generator<LatticePoint, void, undefined> {
  const { weightVariance: variances, seed: seeds, parameters: varied = [] } = sweep.axes;
  const constraints = sweep.where.map((source) => compileWhere(source, varied));
  const layersAt = layersOf(sweep);
  const parametersAt = parametersOf(varied);
  const isAbsolute = variances.kind === "absolute";
  const isImported = sweep.axes.layers.kind === "imported";
  for (const index of positions(dimensionsOf(axisLengths(sweep.axes), sweep.zip))) {
    const { width, depth, hidden } = layersAt(index);
    const parameters = parametersAt(index);
    const GN = criticalGain[activationOf(sweep, parameters)] * (hidden[0] ?? Number.NaN);
    const value = isImported ? Number.NaN : variances.values[index.weightVariance!]!;
    const weightVariance = isAbsolute ? value : exp(value) / GN;
    const logGain = isAbsolute ? log(GN * value) : value;
    const seed = seeds[index.seed!]!;
    const point = { width, depth, hidden, weightVariance, logGain, seed, parameters, index };
    if (constraints.every((holds) => holds(point))) yield { ...point, index: { ...index } };
  }
}

/** The gain at criticality follows from the activation, which may itself vary. */
function activationOf({ network }: Lattice, parameters: ParameterValues): Activation {
  return (parameters["network.activation"] as Activation | undefined) ?? network.activation;
}

/** Number of values of each axis, slowest axis first. */
function axisLengths({ layers, weightVariance, seed, parameters = [] }: Axes) {
  const lengths = new Map<AxisName, number>();
  lengths.set("seed", seed.length);
  for (const { path, values } of parameters) lengths.set(path, values.length);
  lengths.set("weightVariance", weightVariance.values.length);
  if (layers.kind === "imported") return lengths;
  if (layers.kind === "explicit") return lengths.set("hidden", layers.hidden.length);
  return lengths.set("width", layers.width.length).set("depth", layers.depth.length);
}

/** Every position of the lattice, the last dimension fastest: one object, changed from step to step. */
function* positions(dimensions: readonly Dimension[]): Generator<LatticeIndex, void, undefined> {
  const axes = dimensions.flatMap((dimension) => dimension.axes);
  const index = Object.fromEntries(axes.map((axis) => [axis, 0])) as Record<AxisName, number>;
  for (;;) {
    yield index;
    let d = dimensions.length - 1;
    // Like an odometer: a dimension at its last value starts again, and the next slower one advances.
    while (d >= 0 && index[dimensions[d]!.axes[0]!] === dimensions[d]!.length - 1) {
      for (const axis of dimensions[d]!.axes) index[axis] = 0;
      d--;
    }
    if (d < 0) return;
    for (const axis of dimensions[d]!.axes) index[axis]!++;
  }
}

/** The values of the parameters at a position of the lattice: one object for each combination, shared. */
function parametersOf(axes: readonly ParameterAxis[]): (index: LatticeIndex) => ParameterValues {
  const known = new Map<string, ParameterValues>();
  return (index) => {
    const key = axes.map(({ path }) => index[path]).join();
    let values = known.get(key);
    if (values === undefined) {
      values = Object.fromEntries(axes.map(({ path, values }) => [path, values[index[path]!]!]));
      known.set(key, values);
    }
    return values;
  };
}

type HiddenLayers = Pick<LatticePoint, "width" | "depth" | "hidden">;

/** The hidden layers at a position of the lattice; unknown of networks that have not been read. */
function layersOf({ axes, networks }: Lattice): (index: LatticeIndex) => HiddenLayers {
  const { layers, parameters = [] } = axes;
  if (layers.kind === "imported") {
    const files = parameters.find(({ path }) => path === WEIGHTS)!.values;
    const shapes = files.map((file) => shapeOf(networks?.[String(file)]?.shape.hidden));
    return (index) => shapes[index[WEIGHTS]!]!;
  }
  if (layers.kind === "explicit") {
    const shapes = layers.hidden.map(shapeOf);
    return ({ hidden }) => shapes[hidden!]!;
  }
  const shapes = layers.width.map(() => new Array<HiddenLayers | undefined>(layers.depth.length));
  return (index) => {
    const ofWidth = shapes[index.width!]!;
    const known = ofWidth[index.depth!];
    if (known !== undefined) return known; // shared: a lattice of many seeds has few shapes
    const width = layers.width[index.width!]!;
    const depth = layers.depth[index.depth!]!;
    const shape = { width, depth, hidden: new Array<number>(depth).fill(width) };
    ofWidth[index.depth!] = shape;
    return shape;
  };
}

function shapeOf(hidden: readonly number[] | undefined): HiddenLayers {
  if (hidden === undefined) return { width: Number.NaN, depth: Number.NaN, hidden: [] };
  return { width: Math.max(...hidden), depth: hidden.length, hidden };
}
