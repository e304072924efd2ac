import { binaryExponent, powerOfTwo } from "../../../shared/numerics/float64-bits.ts";
import { orthonormaliseRows } from "../../../shared/numerics/lq.ts";
import { layerWidths } from "../../../shared/numerics/network.ts";
import { norm } from "../../../shared/numerics/vectors.ts";
import { activate, slopeFactor } from "./activations.ts";
import { localFields, type TensorNetwork, weightsOf } from "./network.ts";
import type { Tensor } from "./tensorflow.ts";

/**
 * What pushes n tangents through the hidden layers; made once for each state of the weights.
 *
 * The weights are scaled by powers of two so that a layer, by and large, keeps a tangent's length.
 */
export interface TangentLayers {
  /** n = min(N_0, N_1), but 2 for a plane of inputs. */
  readonly count: number;
  /**
   * W^(l) at index l − 1, [N_l, N_{l−1}]. In W^(1)'s place R [N_1, n] of W^(1) = R·Q with orthonormal rows Q where
   * that has fewer columns: both have the same singular values behind any product.
   */
  readonly weights: readonly Tensor[];
  /** ln of what the scaling takes off tangents at layer l, at index l − 1. */
  readonly logScale: readonly number[];
  /** Hidden layers behind which lengths must be brought back, at index l − 1. */
  readonly isCheckpoint: readonly boolean[];
  dispose(): void;
}

/** Tangents may grow and shrink by 2^±40 between checkpoints. */
const REACH = 40;

/** g' at most. */
const STEEPEST = { tanh: 1, relu: 1, sigmoid: 1 / 4, linear: 1 } as const;

/**
 * Between checkpoints the layers' Frobenius norms, times the steepest slope, multiply to 2^REACH at most: no
 * tangent of length one grows beyond that. And if one is still longer than 2^−REACH at the next checkpoint, it was
 * longer than 2^−2·REACH on the way, and whatever was lost in underflow there was too small to count.
 */
export function tangentLayers(net: TensorNetwork): TangentLayers {
  const { tf, shape } = net;
  const widths = layerWidths(shape);
  const logScale: number[] = [];
  const isCheckpoint = shape.hidden.map(() => false);
  let scaled = 0;
  let growth = 1;
  const matrices = hiddenMatrices(net).map((matrix, below) => {
    const gain = norm(matrix, 0, matrix.length) * STEEPEST[shape.activation];
    const exponent = binaryExponent(gain / Math.sqrt(widths[below]!));
    const k = Math.abs(exponent) < 1000 ? exponent : 0; // all zero, or not finite
    scaled += k;
    logScale.push(scaled * Math.LN2);
    const factor = powerOfTwo(-k);
    growth *= Math.max(1, gain * factor);
    if (below > 0 && growth > 2 ** REACH) {
      isCheckpoint[below - 1] = true;
      growth = Math.max(1, gain * factor);
    }
    return Float32Array.from(matrix, (w) => w * factor);
  });
  const tensors = matrices.map((matrix, below) => {
    const rows = widths[below + 1]!;
    return tf.tensor2d(matrix, [rows, matrix.length / rows]);
  });
  return {
    count: matrices[0]!.length / widths[1]!,
    weights: tensors,
    logScale,
    isCheckpoint,
    dispose: () => tf.dispose(tensors),
  };
}

/** The weights of the hidden layers, the first one's compressed if that has more inputs than neurons. */
function hiddenMatrices(net: TensorNetwork): Float64Array[] {
  const { inputs, hidden } = net.shape;
  const [first, ...others] = weightsOf(net)
    .slice(0, -1)
    .map(({ weight }) => Float64Array.from(weight));
  const isCompressed = inputs > hidden[0]! && inputs !== 2;
  return [isCompressed ? orthonormaliseRows(first!, hidden[0]!, inputs) : first!, ...others];
}

/** x^(l) [points, N_l] and n tangents of that shape; at l = 0 the tangents are [points, n]. */
export interface Pushed {
  readonly x: Tensor;
  readonly tangents: readonly Tensor[];
}

/** The n unit tangents at each of `rows` points. */
export function unitTangents({ tf }: TensorNetwork, count: number, rows: number): Tensor[] {
  return Array.from({ length: count }, (_, j) => {
    const unit = new Float32Array(rows * count);
    for (let i = 0; i < rows; i++) unit[i * count + j] = 1;
    return tf.tensor2d(unit, [rows, count]);
  });
}

/** Through layer `index` + 1 ≤ L; disposes of what it began with. */
export function pushForward(
  { tf, shape, layers }: TensorNetwork,
  { weights }: TangentLayers,
  { index, from }: { readonly index: number; readonly from: Pushed },
): Pushed {
  const pushed = tf.tidy(() => {
    const b = localFields(tf, layers[index]!, from.x);
    const timesSlope = slopeFactor(tf, shape.activation, b);
    return {
      x: activate(tf, shape.activation, b),
      tangents: from.tangents.map((t) => timesSlope(tf.matMul(t, weights[index]!, false, true))),
    };
  });
  tf.dispose([from.x, ...from.tangents]);
  return pushed;
}

/** What has been taken off the tangents at each point. */
export interface Scaling {
  /** Tangents are to be multiplied by 2^exponent. */
  readonly exponent: Int32Array;
  /** 1: they have left the reach of float32, and say nothing. */
  readonly isLost: Uint8Array;
}

export function noScaling(points: number): Scaling {
  return { exponent: new Int32Array(points), isLost: new Uint8Array(points) };
}

/** Brings the greatest element of a point's tangents into [1, 2), by a power of two; disposes of what it began with. */
export function bringBack(
  { tf, shape }: TensorNetwork,
  { x, tangents }: Pushed,
  scaling: Scaling,
): Pushed {
  const greatest = tangents.map((t) => tf.tidy(() => tf.max(tf.abs(t), 1)));
  const sizes = greatest.map((column) => column.dataSync());
  tf.dispose(greatest);
  const factors = new Float32Array(sizes[0]!.length).fill(1);
  for (let i = 0; i < scaling.exponent.length; i++) {
    const size = Math.max(...sizes.map((column) => column[i]!));
    if (!isWithinReach(size)) {
      if (!canVanish(shape.activation) || size !== 0) scaling.isLost[i] = 1;
      continue;
    }
    const exponent = binaryExponent(size);
    factors[i] = powerOfTwo(-exponent);
    scaling.exponent[i]! += exponent;
  }
  const scaled = tf.tidy(() => {
    const column = tf.tensor2d(factors, [factors.length, 1]);
    return tangents.map((t) => tf.mul(t, column));
  });
  tf.dispose(tangents);
  return { x, tangents: scaled };
}

/** Whether tangents of this size at a checkpoint have lost nothing; they cannot be greater, but not finite. */
export function isWithinReach(size: number): boolean {
  return size >= 2 ** -REACH && size < 2 ** (1.5 * REACH);
}

/** Whether tangents of zero are zero, and have not underflowed in slopes. */
export function canVanish(activation: keyof typeof STEEPEST): boolean {
  return activation === "relu" || activation === "linear";
}
