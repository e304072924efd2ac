import type { OptionValues } from "../datasets/data-set.ts";
import { decisionOf } from "../numerics/decision.ts";
import { boundaryStatistics } from "../numerics/ridges/boundary-statistics.ts";
import type { RidgeLine } from "../numerics/ridges/ridge-lines.ts";
import { ridgeLines } from "../numerics/ridges/ridge-lines.ts";
import { ridgeStatistics } from "../numerics/ridges/ridge-statistics.ts";
import type { FieldAnalysis, FieldSubject, Findings } from "./analysis.ts";

/**
 * Where a field stretches most, as lines finer than its grid: λ₁ is above a percentile, its derivative along the top
 * Cauchy–Green eigenvector zero, and its second derivative there negative.
 */
export const ridges: FieldAnalysis = {
  name: "ridges",
  version: 1,
  doc: "Ridge lines of λ₁ over a field, finer than its grid, and how they lie to the decision boundary.",
  options: {
    percentile: {
      kind: "number",
      default: 80,
      minimum: 0,
      exclusiveMaximum: 100,
      doc: "Only values above this percentile of the field belong to ridges.",
    },
    smoothing: {
      kind: "number",
      default: 0.5,
      minimum: 0,
      maximum: 20,
      doc: "Standard deviation of the Gaussian weights of derivatives, in grid spacings.",
    },
    minimumLength: {
      kind: "number",
      default: 4,
      minimum: 0,
      doc: "Shorter lines are left out; in grid spacings.",
    },
  },
  reads: "field",
  columns: [
    { name: "lines", doc: "Number of ridge lines." },
    { name: "length", doc: "Length of all of them, in units of the inputs." },
    { name: "sharpness", doc: "Mean −ξᵀHξ along them, per squared unit of the inputs and layer." },
    { name: "endpoints", doc: "Ends of lines that are not closed." },
    {
      name: "boundaryDistance",
      doc: "Mean distance from the ridges to the decision boundary, in units of the inputs; of two classes.",
    },
    {
      name: "boundaryAlignment",
      doc: "Mean |cos| of the angle between ridge and decision boundary: 1 if they are parallel.",
    },
    {
      name: "normalAlignment",
      doc: "Mean |cos| of the angle between the direction of maximal stretching and the ridge's normal.",
    },
  ],
  arrays: [
    {
      name: "vertices",
      dimensions: ["vertex", "coordinate"],
      doc: "points of all lines, one line after another: first and second input; a closed line repeats its first",
    },
    {
      name: "line",
      dimensions: ["vertex"],
      doc: "number of the vertex' line, from 0, the longest",
    },
    { name: "value", dimensions: ["vertex"], unit: "1/layer", doc: "λ₁ on the ridge" },
    { name: "sharpness", dimensions: ["vertex"], doc: "−ξᵀHξ there" },
  ],
  expects({ field }) {
    const { x, y } = field!.region;
    const ratio = (x[1] - x[0]) / (y[1] - y[0]);
    return Math.abs(ratio - 1) < 1e-9 ? null : "a `region` of `field` with equal sides";
  },
  work: ({ points }) => 500 * points,
  compute(subject, options) {
    const { network, targets, grid, output } = subject;
    const lines = ridgesOf(subject, options);
    const spacing = (grid.region.x[1] - grid.region.x[0]) / grid.points;
    const {
      lines: count,
      length,
      meanSharpness,
      endpoints,
      normalAlignment,
    } = ridgeStatistics(lines);
    const boundary =
      targets !== "values" && decisionOf(network) === "sign"
        ? boundaryStatistics(lines, { points: grid.points, values: output })
        : { meanDistance: Number.NaN, alignment: Number.NaN };
    return {
      columns: {
        lines: count,
        length: length * spacing,
        sharpness: meanSharpness / spacing ** 2,
        endpoints,
        boundaryDistance: boundary.meanDistance * spacing,
        boundaryAlignment: boundary.alignment,
        normalAlignment,
      },
      arrays: arraysOf(lines, { ...grid, spacing }),
    };
  },
};

function ridgesOf({ grid, lambda1, direction }: FieldSubject, options: OptionValues): RidgeLine[] {
  const { points } = grid;
  const last = (values: Float32Array) => values.subarray(values.length - points ** 2);
  return ridgeLines(
    { points, values: last(lambda1), direction: last(direction) },
    {
      percentile: Number(options.percentile),
      smoothing: Number(options.smoothing),
      minimumLength: Number(options.minimumLength),
    },
  );
}

function arraysOf(
  lines: readonly RidgeLine[],
  { region, spacing }: Pick<FieldSubject["grid"], "region"> & { readonly spacing: number },
): Findings["arrays"] {
  const count = lines.reduce((sum, { column }) => sum + column.length, 0);
  const vertices = new Float32Array(2 * count);
  const [line, value, sharpness] = [0, 1, 2].map(() => new Float32Array(count)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  let at = 0;
  lines.forEach((one, number) => {
    one.column.forEach((column, i) => {
      vertices[2 * at] = region.x[0] + (column + 0.5) * spacing;
      vertices[2 * at + 1] = region.y[0] + (one.row[i]! + 0.5) * spacing;
      line[at] = number;
      value[at] = one.value[i]!;
      sharpness[at] = one.sharpness[i]! / spacing ** 2;
      at++;
    });
  });
  return {
    vertices: { shape: [count, 2], values: vertices },
    line: { shape: [count], values: line },
    value: { shape: [count], values: value },
    sharpness: { shape: [count], values: sharpness },
  };
}
