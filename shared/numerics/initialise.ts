import { type Activation, layerWidths, type NetworkShape, type Weights } from "./network.ts";
import type { RandomKey } from "./philox.ts";
import { randomStream } from "./random-stream.ts";

/** Scale of the Gaussian initial weights and thresholds (Storm et al., PRL 132, 057301). */
export interface InitialScale {
  /** σ_w² of an N→N layer with N = `hidden[0]`; a layer of fan-in n draws with σ_w²·N/n. */
  readonly weightVariance: number;
  /** Variance of the thresholds θ of every layer, ≥ 0. */
  readonly thresholdVariance: number;
}

/**
 * G in the critical initial variance G·N·σ_w² = 1: g'(0)², or for relu E[g'(b)²] (He et al.,
 * arXiv 1502.01852).
 */
export const criticalGain: Readonly<Record<Activation, number>> = {
  tanh: 1,
  linear: 1,
  sigmoid: 1 / 16,
  relu: 1 / 2,
};

/**
 * Initial weights in float64. Layer l takes its weights from part l of the key's `weights` stream, row
 * by row, and its thresholds from `thresholds`; the variances only scale them.
 */
export function initialWeights(
  network: NetworkShape,
  scale: InitialScale,
  key: RandomKey,
): Weights {
  const widths = layerWidths(network);
  const gain = scale.weightVariance * network.hidden[0]!;
  const thresholdDeviation = Math.sqrt(scale.thresholdVariance);
  return widths.slice(1).map((rows, below) => {
    const fanIn = widths[below]!;
    const weight = normals(rows * fanIn, randomStream(key, "weights", below + 1).normal);
    const bias = normals(rows, randomStream(key, "thresholds", below + 1).normal);
    const deviation = Math.sqrt(gain / fanIn);
    return {
      weight: weight.map((z) => deviation * z),
      bias: bias.map((z) => (thresholdDeviation === 0 ? 0 : -thresholdDeviation * z)),
    };
  });
}

function normals(count: number, normal: () => number): Float64Array {
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = normal();
  return values;
}
