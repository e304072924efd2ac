import { log } from "../numerics/elementary.ts";
import { float64Weights, layerWidths } from "../numerics/network.ts";
import { svd } from "../numerics/svd.ts";
import { norm } from "../numerics/vectors.ts";
import type { NetworkAnalysis } from "./analysis.ts";
import { SCALAR_WORK } from "./split.ts";

/**
 * Singular values of every weight matrix. The effective rank is exp(−Σ p ln p) with p = s/Σs (Roy and Vetterli, EUSIPCO
 * 2007).
 */
export const weights: NetworkAnalysis = {
  name: "weights",
  version: 1,
  doc: "Norms, singular values and effective rank of every layer's weights.",
  options: {},
  reads: "network",
  columns: [
    { name: "norm", doc: "Frobenius norm of all weights." },
    { name: "thresholdNorm", doc: "Euclidean norm of all thresholds." },
    { name: "spectralNorm", doc: "Largest singular value of all layers." },
    {
      name: "effectiveRank",
      doc: "Mean effective rank of the layers behind the first, but for the output layer.",
    },
  ],
  arrays: [
    {
      name: "singularValues",
      dimensions: ["layer", "index"],
      doc: "singular values of the layer's weights, descending; NaN beyond their number",
    },
    { name: "norm", dimensions: ["layer"], doc: "Frobenius norm of the layer's weights" },
    { name: "effectiveRank", dimensions: ["layer"], doc: "exp of the entropy of s/Σs" },
  ],
  work({ network }) {
    const widths = layerWidths(network);
    // About ten sweeps over the pairs of rows, six operations an element.
    return widths.slice(1).reduce((sum, rows, l) => {
      const [short, long] = [Math.min(rows, widths[l]!), Math.max(rows, widths[l]!)];
      return sum + SCALAR_WORK * 30 * short * short * long;
    }, 0);
  },
  compute({ network, weights: given, progress }) {
    const widths = layerWidths(network);
    const layers = float64Weights(network, given);
    const count = Math.max(...layers.map((_, l) => Math.min(widths[l]!, widths[l + 1]!)));
    const singularValues = new Float32Array(layers.length * count).fill(Number.NaN);
    const norms = new Float32Array(layers.length);
    const ranks = new Float32Array(layers.length);
    let spectralNorm = 0;
    layers.forEach(({ weight }, l) => {
      progress(l / layers.length);
      const { s } = svd(weight, widths[l + 1]!, widths[l]!);
      singularValues.set(s, l * count);
      norms[l] = norm(weight, 0, weight.length);
      ranks[l] = effectiveRank(s);
      spectralNorm = Math.max(spectralNorm, s[0]!);
    });
    const inner = ranks.subarray(1, -1);
    const thresholds = layers.map(({ bias }) => norm(bias, 0, bias.length));
    return {
      columns: {
        norm: Math.hypot(...norms),
        thresholdNorm: Math.hypot(...thresholds),
        spectralNorm,
        effectiveRank: inner.reduce((a, b) => a + b, 0) / inner.length,
      },
      arrays: {
        singularValues: { shape: [layers.length, count], values: singularValues },
        norm: { shape: [layers.length], values: norms },
        effectiveRank: { shape: [layers.length], values: ranks },
      },
    };
  },
};

function effectiveRank(s: Float64Array): number {
  const sum = s.reduce((a, b) => a + b, 0);
  if (!(sum > 0)) return Number.NaN; // no weights at all, or none that are finite
  let entropy = 0;
  for (const value of s) if (value > 0) entropy -= (value / sum) * log(value / sum);
  return Math.exp(entropy);
}
