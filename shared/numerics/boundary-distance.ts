/** The distance from an input to where a network decides otherwise, found by projected gradient steps and bisection. */
import { decidedClass } from "./classification.ts";
import type { PointNetwork } from "./input-gradient.ts";
import type { NetworkShape } from "./network.ts";
import { norm as euclideanNorm, largest } from "./vectors.ts";

/** How distances are measured. */
export type Norm = "l2" | "linf";

export interface AttackOptions {
  readonly norm: Norm;
  /** Gradient steps of an attack. */
  readonly steps: number;
  /** Length of the first steps outwards; those of later attacks follow from the distance found. */
  readonly step: number;
}

/** Each attack after the first is within this share of the distance found before. */
const SHRINK = 0.9;
const MOST_ATTACKS = 40;
const BISECTIONS = 30;

/**
 * An upper bound of the distance to the decision boundary, tight where attacks find the nearest part of it: the first
 * attack walks down the margin until the decision changes; each further one looks within a smaller ball, until none
 * finds anything. The point found is brought to the boundary by bisection.
 *
 * @returns NaN if the first attack does not reach another decision.
 */
export function boundaryDistance(
  { network, at }: { readonly network: NetworkShape; readonly at: PointNetwork },
  origin: Float64Array,
  { norm, steps, step }: AttackOptions,
): number {
  const decision = decidedClass(network, at.outputs(origin), 0);
  const isOther = (point: Float64Array) => decidedClass(network, at.outputs(point), 0) !== decision;
  const walk = { network, at, origin, decision, norm, steps };
  let found = attack(walk, { from: origin, step, radius: Number.POSITIVE_INFINITY });
  if (found === null) return Number.NaN;
  let best = bisect(origin, found, isOther);
  for (let i = 0; i < MOST_ATTACKS; i++) {
    const distance = distanceOf(norm, origin, best);
    if (distance === 0) return 0;
    const radius = SHRINK * distance;
    const from = projected(norm, { origin, radius }, best);
    found = attack(walk, { from, step: (3 * radius) / steps, radius });
    if (found === null) return distance;
    best = bisect(origin, found, isOther);
  }
  return distanceOf(norm, origin, best);
}

interface Walk {
  readonly network: NetworkShape;
  readonly at: PointNetwork;
  readonly origin: Float64Array;
  readonly decision: number;
  readonly norm: Norm;
  readonly steps: number;
}

/** Steps down the margin within the ball. @returns the first point with another decision; null if there is none. */
function attack(
  { network, at, origin, decision, norm, steps }: Walk,
  { from, step, radius }: { from: Float64Array; step: number; radius: number },
): Float64Array | null {
  let point = from;
  for (let i = 0; i <= steps; i++) {
    const outputs = at.outputs(point);
    if (decidedClass(network, outputs, 0) !== decision) return point;
    const gradient = at.gradient(marginCoefficients(network, outputs, decision));
    const next = stepped(norm, { point, step }, gradient);
    if (next === null) return null;
    point = projected(norm, { origin, radius }, next);
  }
  return null;
}

/** The margin, output `decision` less the largest other, as a linear function of the outputs. */
function marginCoefficients(
  { outputs: width }: NetworkShape,
  outputs: Float64Array,
  decision: number,
): Float64Array {
  const coefficients = new Float64Array(width);
  if (width === 1) {
    coefficients[0] = decision === 1 ? 1 : -1;
    return coefficients;
  }
  let rival = decision === 0 ? 1 : 0;
  for (let i = 0; i < width; i++) {
    if (i !== decision && outputs[i]! > outputs[rival]!) rival = i;
  }
  coefficients[decision] = 1;
  coefficients[rival] = -1;
  return coefficients;
}

/** A step of this length against the gradient; null where it is 0 or not finite. */
function stepped(
  norm: Norm,
  { point, step }: { point: Float64Array; step: number },
  gradient: Float64Array,
): Float64Array | null {
  const length = lengthOf(norm, gradient);
  if (!(length > 0) || !Number.isFinite(length)) return null;
  return point.map((value, i) => {
    const along = norm === "l2" ? gradient[i]! / length : Math.sign(gradient[i]!);
    return value - step * along;
  });
}

/** The nearest point of the ball, or, of l∞, the cube. */
function projected(
  norm: Norm,
  { origin, radius }: { origin: Float64Array; radius: number },
  point: Float64Array,
): Float64Array {
  if (norm === "linf") {
    return point.map((value, i) =>
      Math.min(origin[i]! + radius, Math.max(origin[i]! - radius, value)),
    );
  }
  const length = distanceOf(norm, origin, point);
  if (length <= radius) return point;
  return point.map((value, i) => origin[i]! + ((value - origin[i]!) * radius) / length);
}

function distanceOf(norm: Norm, a: Float64Array, b: Float64Array): number {
  return lengthOf(
    norm,
    a.map((value, i) => value - b[i]!),
  );
}

function lengthOf(norm: Norm, vector: Float64Array): number {
  return norm === "l2" ? euclideanNorm(vector, 0, vector.length) : largest(vector);
}

/** The point on the way from `inside` to `outside` at which the decision changes, on the far side. */
function bisect(
  inside: Float64Array,
  outside: Float64Array,
  isOther: (point: Float64Array) => boolean,
): Float64Array {
  let [near, far] = [inside, outside];
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = near.map((value, k) => (value + far[k]!) / 2);
    if (isOther(middle)) far = middle;
    else near = middle;
  }
  return far;
}
