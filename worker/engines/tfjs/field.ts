import { atan2, log } from "../../../shared/numerics/elementary.ts";
import { float64Weights } from "../../../shared/numerics/network.ts";
import { planeExponents } from "../../../shared/numerics/plane-exponents.ts";
import type { FieldTile } from "../engine.ts";
import { activate } from "./activations.ts";
import {
  type Block,
  inBlocks,
  localFields,
  sampleCount,
  type TensorNetwork,
  throwIfStopped,
  weightsOf,
} from "./network.ts";
import {
  bringBack,
  canVanish,
  isWithinReach,
  noScaling,
  type Pushed,
  pushForward,
  type Scaling,
  type TangentLayers,
  unitTangents,
} from "./tangents.ts";
import type { Tensor } from "./tensorflow.ts";

export interface PlanePoints {
  /** [points, 2]. */
  readonly inputs: Float32Array;
  readonly layers: "last" | "all";
}

/**
 * Exponents, directions and outputs at points of the input plane: a tile whose arrays are [layers, points]
 * and [points].
 *
 * Where layers saturate so much that the tangents leave float32's reach, a point is computed in float64.
 */
export function exponentsInPlane(
  net: TensorNetwork,
  tangentLayers: TangentLayers,
  points: PlanePoints,
): FieldTile {
  const { inputs, layers } = points;
  const { hidden, activation } = net.shape;
  const depth = hidden.length;
  const slices = layers === "all" ? depth : 1;
  const size = sampleCount(net, inputs);
  const tile: FieldTile = {
    lambda1: new Float32Array(slices * size).fill(Number.NaN),
    lambda2: new Float32Array(slices * size).fill(Number.NaN),
    direction: new Float32Array(slices * size).fill(Number.NaN),
    output: new Float32Array(size),
  };
  /** Points that float32 could not do at some layer. */
  const lost = new Set<number>();

  function read(l: number, state: Pushed, { block, scaling }: { block: Block; scaling: Scaling }) {
    const { a, c, area } = innerProducts(net, state);
    const logScale = tangentLayers.logScale[l - 1]!;
    const isLine = Math.min(...hidden.slice(0, l)) === 1;
    const slice = (l - 1 - depth + slices) * size;
    for (let i = 0; i < block.count; i++) {
      const point = block.from + i;
      if (!Number.isFinite(inputs[2 * point]) || !Number.isFinite(inputs[2 * point + 1])) continue;
      const { sigma1, sigma2, angle } = stretching(a[i]!, c[i]!, area[i]!);
      const isKnown = scaling.isLost[i] === 0 && isWithinReach(sigma1);
      const isZero = scaling.isLost[i] === 0 && sigma1 === 0 && canVanish(activation);
      if (isKnown) {
        const taken = logScale + scaling.exponent[i]! * Math.LN2;
        tile.lambda1[slice + point] = (log(sigma1) + taken) / l;
        tile.lambda2[slice + point] = isLine ? Number.NEGATIVE_INFINITY : (log(sigma2) + taken) / l;
        tile.direction[slice + point] = angle;
      } else if (!isZero) {
        lost.add(point);
      }
    }
  }

  inBlocks(net, { inputs, tensorsAPoint: 1 }, (block) => {
    const scaling = noScaling(block.count);
    let state: Pushed = { x: block.x, tangents: unitTangents(net, 2, block.rows) };
    for (let l = 1; l <= depth; l++) {
      state = pushForward(net, tangentLayers, { index: l - 1, from: state });
      if (l > depth - slices) read(l, state, { block, scaling });
      if (tangentLayers.isCheckpoint[l - 1]) state = bringBack(net, state, scaling);
    }
    readOutput(net, state.x, block, tile.output);
  });
  inFloat64(net, points, tile, lost);
  return tile;
}

/** |u|², u·v and |w|² of w = v − (u·v/|u|²)u, of the two tangents u and v at each point. */
function innerProducts({ tf }: TensorNetwork, { tangents }: Pushed) {
  const [u, v] = tangents as [Tensor, Tensor];
  const [a, c] = tf
    .tidy(() => [tf.sum(tf.square(u), 1), tf.sum(tf.mul(u, v), 1)])
    .map((sums) => sums.dataSync()) as [Float32Array, Float32Array];
  const slant = c.map((value, i) => (a[i] === 0 ? 0 : value / a[i]!));
  const area = tf.tidy(() => {
    const w = tf.sub(v, tf.mul(u, tf.tensor2d(slant, [slant.length, 1])));
    return tf.sum(tf.square(w), 1);
  });
  return { a, c, area: area.dataSync() };
}

/**
 * With b = |v|²: σ_1² = (a + b)/2 + sqrt(((a − b)/2)² + c²), the angle ½ atan2(2c, a − b), and
 * σ_2 = |u||w|/σ_1, where the other root would cancel.
 */
function stretching(a: number, c: number, area: number) {
  const b = a === 0 ? area : area + (c * c) / a;
  const halfDifference = (a - b) / 2;
  const sigma1Squared = (a + b) / 2 + Math.sqrt(halfDifference * halfDifference + c * c);
  const angle = atan2(c, halfDifference) / 2;
  return {
    sigma1: Math.sqrt(sigma1Squared),
    sigma2: Math.sqrt((a * area) / sigma1Squared),
    angle: angle <= -Math.PI / 2 ? Math.PI / 2 : angle,
  };
}

function readOutput(
  { tf, shape, layers }: TensorNetwork,
  x: Tensor,
  { from, count }: Block,
  output: Float32Array,
): void {
  const top = tf.tidy(() =>
    activate(tf, shape.outputActivation, localFields(tf, layers.at(-1)!, x)),
  );
  const values = top.dataSync();
  for (let i = 0; i < count; i++) {
    const value = values[i * shape.outputs]!;
    output[from + i] = Number.isFinite(value) ? value : Number.NaN;
  }
}

/** Fills what is missing at these points. */
function inFloat64(
  net: TensorNetwork,
  { inputs, layers }: PlanePoints,
  tile: FieldTile,
  points: ReadonlySet<number>,
): void {
  if (points.size === 0) return;
  const at = planeExponents(net.shape, float64Weights(net.shape, weightsOf(net)));
  const depth = net.shape.hidden.length;
  const size = tile.output.length;
  const slices = tile.lambda1.length / size;
  for (const point of points) {
    throwIfStopped(net);
    at.moveTo(inputs[2 * point]!, inputs[2 * point + 1]!, layers);
    for (let slice = 0; slice < slices; slice++) {
      const place = slice * size + point;
      if (!Number.isNaN(tile.lambda1[place])) continue;
      const index = depth - slices + slice;
      tile.lambda1[place] = at.lambda1[index]!;
      tile.lambda2[place] = at.lambda2[index]!;
      tile.direction[place] = at.direction[index]!;
    }
  }
}
