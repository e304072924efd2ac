/** Two-dimensional planes in an input space of any dimension, and networks seen from them. */
import { orthonormaliseRows } from "./lq.ts";
import type { Float64Weights, NetworkShape, Weights } from "./network.ts";
import { dot, norm } from "./vectors.ts";

/** The point with coordinates (x, y) is origin + scale·(x u + y v); u and v are orthonormal, [inputs]. */
export interface PlaneFrame {
  readonly origin: Float64Array;
  readonly u: Float64Array;
  readonly v: Float64Array;
  /** Length of a unit of the coordinates in input space. */
  readonly scale: number;
}

/**
 * The plane through three points: a is (0, 0), b is (1, 0), and c is above.
 * @throws RangeError if they lie on a line.
 */
export function planeThrough(a: Float64Array, b: Float64Array, c: Float64Array): PlaneFrame {
  const inputs = a.length;
  const rows = new Float64Array(2 * inputs);
  rows.set(b.map((value, i) => value - a[i]!));
  rows.set(
    c.map((value, i) => value - a[i]!),
    inputs,
  );
  const size = norm(rows, inputs, inputs);
  const lower = orthonormaliseRows(rows, 2, inputs);
  const [scale, height] = [lower[0]!, lower[3]!];
  if (!(scale > 0) || !(height > 1e-9 * size)) {
    throw new RangeError("expected three points that do not lie on a line");
  }
  return { origin: a, u: rows.slice(0, inputs), v: rows.slice(inputs), scale };
}

/** The plane along two inputs through a point; its coordinates are those inputs. */
export function planeAlong(
  [first, second]: readonly [number, number],
  at: Float64Array,
): PlaneFrame {
  const axis = (input: number) => at.map((_, i) => Number(i === input));
  const origin = at.map((value, i) => (i === first || i === second ? 0 : value));
  return { origin, u: axis(first), v: axis(second), scale: 1 };
}

/**
 * The network as a function of the plane, in units of input space: W^(1) becomes W^(1)[u v], and the origin goes into
 * the thresholds. Its exponents are those of the Jacobian within the plane.
 */
export function networkInPlane(
  network: NetworkShape,
  weights: Float64Weights,
  { origin, u, v }: PlaneFrame,
): { readonly network: NetworkShape; readonly weights: Weights } {
  const [first, ...others] = weights;
  const { weight, bias } = first!;
  const { inputs } = network;
  const seen = new Float64Array(2 * bias.length);
  const moved = bias.slice();
  for (let i = 0; i < bias.length; i++) {
    seen[2 * i] = dot(weight, i * inputs, u, 0, inputs);
    seen[2 * i + 1] = dot(weight, i * inputs, v, 0, inputs);
    moved[i]! += dot(weight, i * inputs, origin, 0, inputs);
  }
  return {
    network: { ...network, inputs: 2 },
    weights: [{ weight: seen, bias: moved }, ...others],
  };
}

/** A network with the same exponents at each point of a plane, of as few inputs as its first layer leaves. */
export interface ReducedNetwork {
  readonly network: NetworkShape;
  readonly weights: Weights;
  /** The plane in its inputs. */
  readonly frame: PlaneFrame;
}

/**
 * W^(1) = R·Q with orthonormal rows Q: the network of R at Qx has the activations of the network at x, and a Jacobian
 * with the same singular values. Where there are no more inputs than neurons, nothing changes.
 */
export function reducedNetwork(
  network: NetworkShape,
  weights: Float64Weights,
  frame: PlaneFrame,
): ReducedNetwork {
  const { inputs } = network;
  const rows = network.hidden[0]!;
  if (inputs <= rows) return { network, weights, frame };
  const [first, ...others] = weights;
  const Q = first!.weight.slice();
  const R = orthonormaliseRows(Q, rows, inputs);
  const project = (x: Float64Array) =>
    Float64Array.from({ length: rows }, (_, i) => dot(Q, i * inputs, x, 0, inputs));
  const { origin, u, v, scale } = frame;
  return {
    network: { ...network, inputs: rows },
    weights: [{ weight: R, bias: first!.bias }, ...others],
    frame: { origin: project(origin), u: project(u), v: project(v), scale },
  };
}

/** Inputs at every (x[i], y[j]), row by row; float32, [y.length · x.length, inputs]. */
export function pointsInPlane(
  { origin, u, v, scale }: PlaneFrame,
  x: Float64Array,
  y: Float64Array,
): Float32Array {
  const inputs = origin.length;
  const points = new Float32Array(x.length * y.length * inputs);
  let at = 0;
  for (const b of y) {
    for (const a of x) {
      for (let i = 0; i < inputs; i++) {
        points[at++] = origin[i]! + scale * (a * u[i]! + b * v[i]!);
      }
    }
  }
  return points;
}
