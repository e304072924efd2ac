import { log } from "../../../shared/numerics/elementary.ts";
import { float64Weights } from "../../../shared/numerics/network.ts";
import { lyapunovSpectrum } from "../../../shared/numerics/spectrum.ts";
import { svd } from "../../../shared/numerics/svd.ts";
import type { PointExponents } from "../engine.ts";
import { inBlocks, sampleCount, type TensorNetwork, throwIfStopped, weightsOf } from "./network.ts";
import {
  bringBack,
  canVanish,
  isWithinReach,
  noScaling,
  type Pushed,
  pushForward,
  type TangentLayers,
  unitTangents,
} from "./tangents.ts";

/**
 * λ₁ and λ₂ of layer L at `inputs` [points, N_0]: J is pushed forward in float32, column by column; its
 * singular values are found in float64. Points that float32 does not reach are computed in float64.
 */
export function exponentsAt(
  net: TensorNetwork,
  tangentLayers: TangentLayers,
  inputs: Float32Array,
): PointExponents {
  const { shape } = net;
  const { count: columns, logScale, isCheckpoint } = tangentLayers;
  const depth = shape.hidden.length;
  const rows = shape.hidden[depth - 1]!;
  const isLine = Math.min(columns, ...shape.hidden) === 1;
  const size = sampleCount(net, inputs);
  const lambda1 = new Float64Array(size).fill(Number.NaN);
  const lambda2 = new Float64Array(size).fill(Number.NaN);
  const lost: number[] = [];
  inBlocks(net, { inputs, tensorsAPoint: columns }, (block) => {
    const scaling = noScaling(block.count);
    let state: Pushed = { x: block.x, tangents: unitTangents(net, columns, block.rows) };
    for (let l = 1; l <= depth; l++) {
      state = pushForward(net, tangentLayers, { index: l - 1, from: state });
      if (isCheckpoint[l - 1]) state = bringBack(net, state, scaling);
    }
    const tangents = state.tangents.map((t) => t.dataSync());
    const J = new Float64Array(rows * columns);
    for (let i = 0; i < block.count; i++) {
      const point = block.from + i;
      if (!pointOf(inputs, shape.inputs, point).every(Number.isFinite)) continue;
      for (let at = 0; at < J.length; at++) {
        J[at] = tangents[at % columns]![i * rows + Math.floor(at / columns)]!;
      }
      const { s } = svd(J, rows, columns);
      const isLost = scaling.isLost[i] === 1;
      if (!isLost && isWithinReach(s[0]!)) {
        const taken = logScale[depth - 1]! + scaling.exponent[i]! * Math.LN2;
        lambda1[point] = (log(s[0]!) + taken) / depth;
        lambda2[point] = isLine ? Number.NEGATIVE_INFINITY : (log(s[1]!) + taken) / depth;
      } else if (isLost || s[0] !== 0 || !canVanish(shape.activation)) {
        lost.push(point);
      }
    }
  });
  inFloat64(net, inputs, { lambda1, lambda2 }, lost);
  return { lambda1, lambda2 };
}

/** Computes these points. */
function inFloat64(
  net: TensorNetwork,
  inputs: Float32Array,
  { lambda1, lambda2 }: PointExponents,
  points: readonly number[],
): void {
  if (points.length === 0) return;
  const { shape } = net;
  const spectrum = lyapunovSpectrum(shape, float64Weights(shape, weightsOf(net)));
  for (const point of points) {
    throwIfStopped(net);
    const [first, second] = spectrum(Float64Array.from(pointOf(inputs, shape.inputs, point)));
    lambda1[point] = Number.isFinite(first) ? first! : Number.NaN;
    lambda2[point] = Number.isFinite(first) ? (second ?? Number.NEGATIVE_INFINITY) : Number.NaN;
  }
}

function pointOf(inputs: Float32Array, dimension: number, point: number): Float32Array {
  return inputs.subarray(point * dimension, (point + 1) * dimension);
}
