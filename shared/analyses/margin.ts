import type { Norm } from "../numerics/boundary-distance.ts";
import { boundaryDistance } from "../numerics/boundary-distance.ts";
import { pointNetwork } from "../numerics/input-gradient.ts";
import { float64Weights } from "../numerics/network.ts";
import { distribution, rankCorrelation } from "../numerics/ranks.ts";
import type { SamplesAnalysis } from "./analysis.ts";
import { forwardWorkOf, SCALAR_WORK, samplesIn, splitOf, splitOption } from "./split.ts";

/** How far the inputs are from where the network decides otherwise, and whether λ₁ tells it. */
export const margin: SamplesAnalysis = {
  name: "margin",
  version: 1,
  doc: "Distance from samples to the decision boundary along adversarial steps, and its rank correlation with λ₁.",
  options: {
    at: splitOption,
    norm: {
      kind: "choice",
      default: "l2",
      choices: ["l2", "linf"],
      doc: "How distances are measured: Euclidean, or by the largest change of an input.",
    },
    samples: {
      kind: "integer",
      default: 200,
      minimum: 1,
      maximum: 1_000_000,
      doc: "The first so many samples of the split.",
    },
    steps: {
      kind: "integer",
      default: 100,
      minimum: 1,
      maximum: 10_000,
      doc: "Gradient steps of each attack.",
    },
    step: {
      kind: "number",
      default: 0.05,
      exclusiveMinimum: 0,
      doc: "Length of the first attack's steps; it reaches `steps` times as far.",
    },
  },
  reads: "samples",
  columns: [
    { name: "mean", doc: "Mean distance." },
    { name: "median", doc: "Median distance." },
    { name: "found", doc: "Share of the samples at which an attack reached another decision." },
    { name: "lambda1Correlation", doc: "Spearman's rank correlation of distance and λ₁." },
  ],
  arrays: [
    {
      name: "distance",
      dimensions: ["sample"],
      doc: "distance to the decision boundary; NaN where no attack reached another decision",
    },
    { name: "lambda1", dimensions: ["sample"], unit: "1/layer", doc: "λ₁ at the sample" },
  ],
  expects: ({ targets }) => (targets.kind === "values" ? "classes, not values, as targets" : null),
  work(size, options) {
    const count = Math.min(Number(options.samples), samplesIn(size, options));
    // A gradient is twice a forward pass; the attacks together take about as many steps as the first may.
    return SCALAR_WORK * count * Number(options.steps) * 3 * forwardWorkOf(size.network);
  },
  compute(subject, options) {
    const { network, weights, engine, progress } = subject;
    const set = splitOf(subject, options);
    const count = Math.min(Number(options.samples), set.samples);
    const at = pointNetwork(network, float64Weights(network, weights));
    const attack = {
      norm: options.norm as Norm,
      steps: Number(options.steps),
      step: Number(options.step),
    };
    const inputs = set.inputs.subarray(0, count * network.inputs);
    const distance = Float32Array.from({ length: count }, (_, s) => {
      progress(s / count);
      const input = inputs.subarray(s * network.inputs, (s + 1) * network.inputs);
      return boundaryDistance({ network, at }, Float64Array.from(input), attack);
    });
    const lambda1 = Float32Array.from(engine.exponents(inputs).lambda1);
    const { count: found, mean, median } = distribution(distance);
    return {
      columns: {
        mean,
        median,
        found: found / count,
        lambda1Correlation: rankCorrelation(distance, lambda1),
      },
      arrays: {
        distance: { shape: [count], values: distance },
        lambda1: { shape: [count], values: lambda1 },
      },
    };
  },
};
