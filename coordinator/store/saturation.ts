/**
 * Points at which a layer is so saturated that float32 cannot hold the slope of any of its neurons: the native
 * engine's λ₁ is too large there (docs/decisions/0007).
 */
import { setImmediate as loopTurn } from "node:timers/promises";
import type { FieldGrid } from "../../shared/cell.ts";
import { log } from "../../shared/numerics/elementary.ts";
import { forward, layerBuffers } from "../../shared/numerics/forward.ts";
import { gridCoordinates } from "../../shared/numerics/grid.ts";
import type {
  Float64Weights,
  Layer,
  NetworkShape,
  Weights,
} from "../../shared/numerics/network.ts";
import { float64Weights } from "../../shared/numerics/network.ts";

/** Where the native engine's slopes end (native/elementary.h), rounded up: tanh's at |b| = 43.6, 4·e^(−87.2); the logistic function's at 87. */
const SMALLEST_SLOPES = { tanh: 5.4e-38, sigmoid: 1.66e-38 };

/** At most so many points are examined; of more candidates, an evenly spaced sample represents all. */
const MOST_POINTS = 4096;
const BLOCK = 128;

export interface SaturationOptions {
  readonly network: NetworkShape;
  readonly weights: Weights;
  readonly grid: FieldGrid;
  /** λ₁ of the last hidden layer, [points, points]. */
  readonly lambda1: Float32Array;
}

/** How many points of a field are saturated; an estimate if there are more than `MOST_POINTS` candidates. */
export async function saturatedPoints(options: SaturationOptions): Promise<number> {
  const { network, grid, lambda1 } = options;
  const { activation } = network;
  if (activation !== "tanh" && activation !== "sigmoid") return 0;
  const smallest = SMALLEST_SLOPES[activation];
  const weights = float64Weights(network, options.weights);
  const candidates = candidatesIn(lambda1, weights.slice(0, -1), smallest);
  if (candidates.length === 0) return 0;
  const step = Math.max(1, candidates.length / MOST_POINTS);
  const chosen = Array.from({ length: Math.floor(candidates.length / step) }, (_, i) => {
    return candidates[Math.floor(i * step)]!;
  });
  let saturated = 0;
  for (let from = 0; from < chosen.length; from += BLOCK) {
    const inputs = inputsAt(grid, chosen.slice(from, from + BLOCK));
    saturated += countSaturated({ network, weights, smallest }, inputs);
    await loopTurn();
  }
  return Math.round((saturated / chosen.length) * candidates.length);
}

/** The points whose L·λ₁ may be that of one with a saturated layer. Nearly always the norm that is quickly had rules all out. */
function candidatesIn(lambda1: Float32Array, hidden: Float64Weights, smallest: number): number[] {
  const most = mostStretching(hidden, smallest, frobeniusNorm);
  const few = pointsUpTo(most, lambda1, hidden.length);
  if (few.length === 0) return few;
  return pointsUpTo(mostStretching(hidden, smallest, spectralNorm), lambda1, hidden.length);
}

/**
 * The largest L·λ₁ that a point with a saturated layer can have: every layer stretches by at most the norm of its
 * weights, and the saturated one by that times the smallest slope.
 */
function mostStretching(
  hidden: Float64Weights,
  smallest: number,
  norm: (layer: Layer) => number,
): number {
  return hidden.reduce((sum, layer) => sum + log(norm(layer)), log(smallest));
}

/** Where L·λ₁ is not above a bound. */
function pointsUpTo(most: number, lambda1: Float32Array, depth: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < lambda1.length; i++) if (depth * lambda1[i]! <= most) found.push(i);
  return found;
}

/** Room for rounding, and for what the power method lacks after its last step. */
const MARGIN = 1.1;

/** Never less than the largest singular value. */
function frobeniusNorm({ weight }: Layer): number {
  let sum = 0;
  for (let i = 0; i < weight.length; i++) sum += weight[i]! ** 2;
  return MARGIN * Math.sqrt(sum) || Number.MIN_VALUE;
}

/** The largest singular value, by forty steps of the power method. */
function spectralNorm({ weight, bias }: Layer): number {
  const rows = bias.length;
  const columns = weight.length / rows;
  let v = new Float64Array(columns).fill(1 / Math.sqrt(columns));
  let size = 0;
  for (let step = 0; step < 40; step++) {
    const u = new Float64Array(rows);
    const next = new Float64Array(columns);
    for (let i = 0; i < rows; i++) {
      let sum = 0;
      for (let j = 0; j < columns; j++) sum += weight[i * columns + j]! * v[j]!;
      u[i] = sum;
      for (let j = 0; j < columns; j++) next[j] = next[j]! + weight[i * columns + j]! * sum;
    }
    size = Math.sqrt(u.reduce((sum, value) => sum + value * value, 0));
    const length = Math.sqrt(next.reduce((sum, value) => sum + value * value, 0));
    if (length === 0) return Number.MIN_VALUE;
    v = next.map((value) => value / length);
  }
  return MARGIN * size;
}

/** [samples, 2]. */
function inputsAt({ region, points }: FieldGrid, indices: readonly number[]): Float64Array {
  const x = gridCoordinates(region.x, points);
  const y = gridCoordinates(region.y, points);
  return Float64Array.from(indices.flatMap((i) => [x[i % points]!, y[Math.floor(i / points)]!]));
}

interface Saturable {
  readonly network: NetworkShape;
  readonly weights: Float64Weights;
  readonly smallest: number;
}

function countSaturated({ network, weights, smallest }: Saturable, inputs: Float64Array): number {
  const samples = inputs.length / network.inputs;
  const buffers = layerBuffers(network, samples);
  const layers = network.hidden.length;
  forward(network, weights, { inputs, samples, buffers, layers });
  let count = 0;
  for (let s = 0; s < samples; s++) {
    const isSaturated = network.hidden.some((width, l) => {
      const slopes = buffers[l]!.slope.subarray(s * width, (s + 1) * width);
      return slopes.every((slope) => slope <= smallest);
    });
    if (isSaturated) count++;
  }
  return count;
}
