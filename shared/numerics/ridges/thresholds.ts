import { centralWeights, weightsNorm } from "./derivative-kernels.ts";
import type { GridField } from "./zero-lines.ts";

/** Sharpness from noise alone stays below this many of its standard deviations (all but 3 in 10⁵). */
const DEVIATIONS = 4;
/** Half a unit in the last place of a float32, relative to the value. */
const ROUNDING = 2 ** -24;
/** Enough for a median; sorting more takes longer than finding the ridges. */
const SAMPLES = 2 ** 16;

/** The value that `percentile` per cent of the finite values lie below, linear between two; NaN if none is. */
export function percentileOf(values: Float64Array, percentile: number): number {
  const sorted = values.filter(Number.isFinite).sort();
  const place = (percentile / 100) * (sorted.length - 1);
  const below = Math.floor(place);
  const from = sorted[below] ?? Number.NaN;
  return from + (place - below) * ((sorted[below + 1] ?? from) - from);
}

/**
 * The sharpness below which a ridge means nothing, per squared grid spacing. A heuristic, of two parts.
 *
 * Noise: what fourth differences along rows show (ridges hardly influence their median), and at least the
 * rounding of float32. Flatness: a crest that falls by less than an eighth of the field's range from the
 * middle to the border is none; so are the ripples of derivatives on the plateau beside a step.
 */
export function leastSharpness(field: GridField, smoothing: number): number {
  const { value, curvature } = centralWeights(smoothing);
  const gain = weightsNorm(value) * weightsNorm(curvature);
  const { lowest, highest } = extent(field.values);
  const rounding = ROUNDING * Math.max(Math.abs(lowest), Math.abs(highest));
  const noise = DEVIATIONS * gain * Math.max(noiseOf(field), rounding);
  return Math.max(noise, (highest - lowest) / field.points ** 2);
}

/** Standard deviation of independent noise, from the median of |fourth differences|. */
function noiseOf({ points, values }: GridField): number {
  const differences: number[] = [];
  const step = Math.max(1, Math.floor((points * points) / SAMPLES));
  for (let i = 0; i < values.length; i += step) {
    if ((i % points) + 4 >= points) continue;
    const ends = values[i]! + values[i + 4]!;
    const difference = ends - 4 * (values[i + 1]! + values[i + 3]!) + 6 * values[i + 2]!;
    if (Number.isFinite(difference)) differences.push(Math.abs(difference));
  }
  if (differences.length === 0) return 0;
  // The variance of the difference is 1 + 16 + 36 + 16 + 1 = 70; 0.6745 is the median of |normal|.
  return percentileOf(Float64Array.from(differences), 50) / Math.sqrt(70) / 0.6745;
}

/** Of the finite values. */
function extent(values: Float32Array): { lowest: number; highest: number } {
  let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  return { lowest, highest };
}
