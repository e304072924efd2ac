import { activate } from "./activations.ts";
import { atan2, log } from "./elementary.ts";
import { binaryExponent, powerOfTwo } from "./float64-bits.ts";
import { forwardLayer, layerBuffers } from "./forward.ts";
import { type Float64Weights, layerWidths, type NetworkShape } from "./network.ts";
import { dot, norm } from "./vectors.ts";

/** Exponents, directions and output at one point of a two-dimensional input plane. */
export interface PlaneExponents {
  /**
   * Moves to the input (x, y) and computes there the elements of the arrays below: those of all layers,
   * or only of layer L.
   */
  moveTo(x: number, y: number, layers: "last" | "all"): void;
  /**
   * λ₁^(l) = (1/l) ln σ_1(J_l) at index l − 1, natural logarithm; NaN where it is not finite: at an
   * input or local field that is not, and where J_l = 0.
   */
  readonly lambda1: Float64Array;
  /** λ₂^(l) = (1/l) ln σ_2(J_l); −∞ where J_l has rank one, NaN where λ₁ is. */
  readonly lambda2: Float64Array;
  /** Angle θ of maximal stretching, radians in (−π/2, π/2]; 0 where all directions stretch equally. */
  readonly direction: Float64Array;
  /** Activation of the first output neuron at the point. */
  output(): number;
}

/**
 * Finite-time Lyapunov exponents of a network with two inputs (Storm et al., PRL 132, 057301, Eq. 1).
 *
 * J_l = D^(l)W^(l) … D^(1)W^(1) is applied to the two unit tangents along with the forward pass. After each
 * layer the pair is made orthonormal again, J_l = Q_l R_l (Benettin et al., Meccanica 15, 9 (1980)), so that
 * depth neither overflows nor hides σ_2 behind σ_1.
 *
 * @throws RangeError if the network does not have two inputs.
 */
export function planeExponents(network: NetworkShape, weights: Float64Weights): PlaneExponents {
  if (network.inputs !== 2) {
    throw new RangeError(`expected a network with 2 inputs, got ${network.inputs}`);
  }
  const depth = network.hidden.length;
  const states = layerWidths(network).slice(0, -1).map(tangentState);
  const outputLayer = layerBuffers(network, 1)[depth]!;
  const factor = triangularFactor();
  const lambda1 = new Float64Array(depth);
  const lambda2 = new Float64Array(depth);
  const direction = new Float64Array(depth);

  function moveTo(x: number, y: number, layers: "last" | "all"): void {
    const isInputFinite = Number.isFinite(x) && Number.isFinite(y);
    states[0]!.x.set([x, y]);
    states[0]!.u.set([1, 0]);
    states[0]!.v.set([0, 1]);
    factor.reset();
    for (let l = 1; l <= depth; l++) {
      const state = states[l]!;
      pushForward(weights[l - 1]!, states[l - 1]!, state);
      activate(network.activation, state, state.b.length);
      scaleTangents(state);
      orthonormalise(state, factor);
      if (layers === "all" || l === depth) {
        const { logSigma1, logSigma2, angle } = factor.stretching();
        const isStretched = isInputFinite && Number.isFinite(logSigma1);
        lambda1[l - 1] = isStretched ? logSigma1 / l : Number.NaN;
        lambda2[l - 1] = isStretched ? logSigma2 / l : Number.NaN;
        direction[l - 1] = isStretched ? angle : Number.NaN;
      }
    }
  }

  function output(): number {
    forwardLayer(weights[depth]!, {
      inputs: states[depth]!.x,
      samples: 1,
      g: network.outputActivation,
      activated: outputLayer,
    });
    return outputLayer.x[0]!;
  }

  return { moveTo, lambda1, lambda2, direction, output };
}

/** One layer at one point: local fields, activations, slopes and two tangents, each [N_l]. */
interface TangentState {
  readonly b: Float64Array;
  readonly x: Float64Array;
  readonly slope: Float64Array;
  readonly u: Float64Array;
  readonly v: Float64Array;
}

function tangentState(width: number): TangentState {
  const zeros = () => new Float64Array(width);
  return { b: zeros(), x: zeros(), slope: zeros(), u: zeros(), v: zeros() };
}

/** b = W x + bias, u = W u and v = W v, each sum in ascending order. */
function pushForward(
  { weight, bias }: Float64Weights[number],
  { x, u, v }: TangentState,
  to: TangentState,
): void {
  const cols = x.length;
  for (let i = 0; i < bias.length; i++) {
    const row = i * cols;
    let sumX = bias[i]!;
    let sumU = 0;
    let sumV = 0;
    for (let j = 0; j < cols; j++) {
      const w = weight[row + j]!;
      sumX += w * x[j]!;
      sumU += w * u[j]!;
      sumV += w * v[j]!;
    }
    to.b[i] = sumX;
    to.u[i] = sumU;
    to.v[i] = sumV;
  }
}

function scaleTangents({ slope, u, v }: TangentState): void {
  for (let i = 0; i < slope.length; i++) {
    u[i] = slope[i]! * u[i]!;
    v[i] = slope[i]! * v[i]!;
  }
}

/** [u v] = Q S by Gram–Schmidt: leaves Q's columns in u and v, and multiplies `factor` by S. */
function orthonormalise({ u, v }: TangentState, factor: TriangularFactor): void {
  const N = u.length;
  const s11 = norm(u, 0, N);
  if (s11 > 0) for (let i = 0; i < N; i++) u[i] = u[i]! / s11;
  const s12 = dot(u, 0, v, 0, N);
  for (let i = 0; i < N; i++) v[i] = v[i]! - s12 * u[i]!;
  const s22 = norm(v, 0, N);
  if (s22 > 0) for (let i = 0; i < N; i++) v[i] = v[i]! / s22;
  factor.grow(s11, s12, s22);
}

/** R_l = [[p, q], [0, r]]·2^e of J_l = Q_l R_l: all that singular values and directions depend on. */
interface TriangularFactor {
  reset(): void;
  /** R ← [[s11, s12], [0, s22]]·R. */
  grow(s11: number, s12: number, s22: number): void;
  /** Logarithms of the singular values, and the angle of the first right singular vector. */
  stretching(): { logSigma1: number; logSigma2: number; angle: number };
}

function triangularFactor(): TriangularFactor {
  let p = 1;
  let q = 0;
  let r = 1;
  let exponent = 0;
  let logDeterminant = 0;
  return {
    reset() {
      p = 1;
      q = 0;
      r = 1;
      exponent = 0;
      logDeterminant = 0;
    },
    grow(s11, s12, s22) {
      logDeterminant += log(s11) + log(s22);
      q = s11 * q + s12 * r;
      p *= s11;
      r *= s22;
      // The largest element is kept in [1, 2): squares of the others underflow only where they do not matter.
      const e = binaryExponent(Math.max(p, Math.abs(q), r));
      if (e > 1023) return;
      const down = powerOfTwo(-e);
      p *= down;
      q *= down;
      r *= down;
      exponent += e;
    },
    /**
     * With a = p², b = q² + r², c = pq, the elements of JᵀJ: σ_1² = (a + b)/2 + sqrt(((a − b)/2)² + c²),
     * θ = ½ atan2(2c, a − b), and σ_2 = |det R|/σ_1, where the other root would cancel.
     */
    stretching() {
      const a = p * p;
      const b = q * q + r * r;
      const c = p * q;
      const halfDifference = (a - b) / 2;
      const sigma1Squared = (a + b) / 2 + Math.sqrt(halfDifference * halfDifference + c * c);
      const logSigma1 = log(sigma1Squared) / 2 + exponent * Math.LN2;
      const angle = atan2(c, halfDifference) / 2;
      return {
        logSigma1,
        logSigma2: logDeterminant - logSigma1,
        angle: angle <= -Math.PI / 2 ? Math.PI / 2 : angle,
      };
    },
  };
}
