/** Tables to export, and descriptions of their columns and of the exported arrays. */

import type { Plan } from "../../plan/plan.ts";
import { axisNames } from "../../spec/axis-names.ts";
import { PARAMETERS, type ParameterKind } from "../../spec/parameters.ts";
import type { ParameterValue, Sweep } from "../../spec/sweep.ts";
import { analysisColumns } from "../analysis-columns.ts";
import type { SummaryRow } from "../summary.ts";

/** A table in blocks of rows, so that it is never in memory as a whole. */
export interface Table {
  /** By name, in their order. */
  readonly columns: Readonly<Record<string, Column>>;
  readonly blocks: AsyncIterable<Block> | Iterable<Block>;
}

export interface Column {
  readonly type: "string" | "int64" | "float64" | "float32";
  /** Whether a value can be null, which means that there is none (yet). */
  readonly isNullable?: true;
  readonly longName: string;
  readonly units?: string;
}

export interface Block {
  readonly rows: number;
  /** Each column's values, one per row. */
  readonly values: Readonly<Record<string, ArrayLike<Value>>>;
}

export type Value = string | number | null;

/** Those of the axes and the results that every sweep has. */
export const CELL_COLUMNS: Readonly<
  Record<Exclude<keyof SummaryRow, "parameters" | "analyses" | "saturated">, Column>
> = {
  cell: { type: "string", longName: "cell id" },
  width: { type: "int64", longName: "width N" },
  depth: { type: "int64", longName: "depth L" },
  hidden: { type: "string", longName: "widths of the hidden layers" },
  weightVariance: { type: "float64", isNullable: true, longName: "initial weight variance σ_w²" },
  logGain: { type: "float64", isNullable: true, longName: "ln(G N σ_w²)" },
  seed: { type: "int64", longName: "seed" },
  snapshot: { type: "string", longName: "snapshot: epochs of training, or end" },
  epoch: { type: "int64", isNullable: true, longName: "epochs of training in the snapshot" },
  status: { type: "string", longName: "outcome of the training" },
  trainLoss: result("training loss"),
  trainAccuracy: result("training accuracy"),
  testLoss: result("test loss"),
  testAccuracy: result("test accuracy"),
  lambda1Mean: exponent("mean λ₁"),
  lambda1Std: exponent("standard deviation of λ₁"),
  lambda1Min: exponent("smallest λ₁"),
  lambda1Max: exponent("largest λ₁"),
  lambda1Centre: exponent("λ₁ at the centre"),
  lambda1Boundary: exponent("λ₁ on the decision boundary"),
  notFinite: { type: "int64", isNullable: true, longName: "points whose λ₁ is not finite" },
  trainSeconds: { ...result("time of the training"), units: "s" },
};

const SATURATED: Column = {
  type: "int64",
  isNullable: true,
  longName: "points with a layer that is saturated beyond float32: their λ₁ is unreliable",
};

/** The columns of the axes over parameters, by name. */
export function parameterColumns({ axes }: Sweep): Record<string, Column> {
  const paths = (axes.parameters ?? []).map(({ path }) => path);
  return Object.fromEntries(
    Array.from(axisNames(paths), ([path, name]) => {
      const { kind, description } = PARAMETERS.get(path)!;
      const longName = `${path}: ${description.split(/\. |\.$/)[0]}`;
      return [name, { type: COLUMN_TYPES[kind], longName }];
    }),
  );
}

/** Some readers of Parquet and Zarr do not support arrays of booleans: these are strings. */
const COLUMN_TYPES: Readonly<Record<ParameterKind, Column["type"]>> = {
  integer: "int64",
  number: "float64",
  name: "string",
  boolean: "string",
};

/** A parameter's value in its column. */
export function columnValue(value: ParameterValue): string | number {
  return typeof value === "boolean" ? String(value) : value;
}

/** The columns of the cells' table: the parameters behind the axes that every sweep has. */
export function cellColumns(
  sweep: Sweep,
  { isSaturated, analyses }: { readonly isSaturated: boolean; readonly analyses: Plan["analyses"] },
): Record<string, Column> {
  const { cell, width, depth, hidden, weightVariance, logGain, seed, ...rest } = CELL_COLUMNS;
  const axes = { cell, width, depth, hidden, weightVariance, logGain, seed };
  const { trainSeconds, ...results } = rest;
  const saturated = isSaturated ? { saturated: SATURATED } : {};
  return {
    ...{ ...axes, ...parameterColumns(sweep), ...results, ...saturated },
    ...columnsOfAnalyses(analyses),
    trainSeconds,
  };
}

function columnsOfAnalyses(analyses: Plan["analyses"]): Record<string, Column> {
  const columns = Array.from(analysisColumns({ analyses }), ([name, { unit, doc }]) => {
    const meaning = result(doc.replace(/\.$/, ""));
    return [name, unit === undefined ? meaning : { ...meaning, units: unit }] as const;
  });
  return Object.fromEntries(columns);
}

/** The columns of a field's points, of every kind of field. */
export const POINT_COLUMNS = {
  layer: { type: "int64", longName: "hidden layer l" },
  x: { type: "float64", longName: "first input" },
  y: { type: "float64", longName: "second input" },
  lambda1: {
    type: "float32",
    longName: "finite-time Lyapunov exponent (1/l) ln σ_max(J_l)",
    units: "1/layer",
  },
  lambda2: {
    type: "float32",
    longName: "second exponent (1/L) ln σ_2(J_L)",
    units: "1/layer",
  },
  planeLambda1: {
    type: "float32",
    longName: "largest exponent within the plane",
    units: "1/layer",
  },
  direction: {
    type: "float32",
    longName: "angle of maximal stretching in the input plane",
    units: "radian",
  },
  output: { type: "float32", longName: "activation of the first output neuron" },
} as const satisfies Record<string, Column>;

function result(longName: string): Column {
  return { type: "float64", isNullable: true, longName };
}

function exponent(longName: string): Column {
  return { ...result(longName), units: "1/layer" };
}
