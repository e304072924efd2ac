import type { DataSet } from "./data-set.ts";
import { drawSplits, type SamplingOptions, samplingOptions } from "./sampling.ts";
import { unitCircle } from "./turn.ts";

export type GaussiansOptions = SamplingOptions & {
  readonly dimensions: number;
  readonly classes: number;
  readonly distance: number;
};

/**
 * K normal distributions of variance 1 in D dimensions. The mean of class k lies in the plane of the first two coordinates,
 * at distance d from the origin and angle 2πk/K; the other coordinates say nothing.
 */
export const gaussians: DataSet<GaussiansOptions> = {
  name: "gaussians",
  doc: "Normal distributions of variance 1, a class each, in any dimension.",
  options: {
    ...samplingOptions,
    dimensions: {
      kind: "integer",
      shapes: true,
      default: 2,
      minimum: 2,
      maximum: 10_000,
      doc: "Input dimension.",
    },
    classes: {
      kind: "integer",
      shapes: true,
      default: 2,
      minimum: 2,
      maximum: 1000,
      doc: "Distributions.",
    },
    distance: {
      kind: "number",
      default: 2,
      exclusiveMinimum: 0,
      maximum: 1000,
      doc: "How far their means are from the origin.",
    },
  },
  inputs: ({ dimensions }) => dimensions,
  targets: ({ classes }) => ({ kind: "classes", count: classes }),
  region({ distance }) {
    const a = distance + 3;
    return { x: [-a, a], y: [-a, a] };
  },
  make(options) {
    const { dimensions, classes, distance } = options;
    return drawSplits(options, {
      inputs: dimensions,
      draw(inputs, stream) {
        const k = stream.below(classes);
        const mean = unitCircle(k / classes);
        for (let i = 0; i < dimensions; i++) {
          inputs[i] = distance * (mean[i] ?? 0) + stream.normal();
        }
        return k;
      },
    });
  },
};
