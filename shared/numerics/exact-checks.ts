/** Checks of an engine's arithmetic against results that are known exactly; a worker runs them on itself. */
import { log } from "./elementary.ts";
import { initialWeights } from "./initialise.ts";
import { orthonormaliseRows } from "./lq.ts";
import { layerWidths, type NetworkShape, type Weights } from "./network.ts";
import type { RandomKey } from "./philox.ts";
import { digamma, trigamma } from "./polygamma.ts";
import { svd } from "./svd.ts";

/** The part of an engine that is checked. */
export interface CheckedEngine {
  load(
    network: NetworkShape,
    weights: Weights,
  ): {
    exponents(inputs: Float32Array): {
      readonly lambda1: Float64Array;
      readonly lambda2: Float64Array;
    };
    outputs(inputs: Float32Array): Float64Array;
    /** In float32 if the engine computes in it: that determines the tolerance. */
    weights(): Weights;
    dispose(): void;
  };
}

export interface CheckResult {
  readonly measured: number;
  readonly expected: number;
  /** Largest |measured − expected| that passes. */
  readonly tolerance: number;
  readonly ok: boolean;
}

export interface ExactCheck {
  /** What holds, as a sentence. */
  readonly name: string;
  /** Where the expected value is from. */
  readonly source: string;
  run(engine: CheckedEngine): CheckResult;
}

/** Statistical checks allow four standard deviations of the mean; their random numbers are fixed. */
const DEVIATIONS = 4;
const KEY: RandomKey = [0x6c796170, 0x756e6f76];

export const exactChecks: readonly ExactCheck[] = [
  {
    name: "one direction grows in a linear Gaussian network by ½[ln(2σ²) + ψ(N/2)] a layer",
    source: "C. M. Newman, Commun. Math. Phys. 103, 121 (1986)",
    run(engine) {
      const { network, variance, weights } = gaussianNetwork(1);
      const measured = exponentsOf(engine, network, weights, [0]).lambda1[0]!;
      const expected = growth(variance, WIDTH);
      return result(measured, expected, DEVIATIONS * Math.sqrt(growthVariance(WIDTH) / DEPTH));
    },
  },
  {
    name: "areas grow there by the sum of the two largest exponents, ½[ln(2σ²) + ψ((N − i + 1)/2)]",
    source: "C. M. Newman, Commun. Math. Phys. 103, 121 (1986)",
    run(engine) {
      const { network, variance, weights } = gaussianNetwork(2);
      const { lambda1, lambda2 } = exponentsOf(engine, network, weights, [0, 0]);
      const expected = growth(variance, WIDTH) + growth(variance, WIDTH - 1);
      const spread = Math.sqrt((growthVariance(WIDTH) + growthVariance(WIDTH - 1)) / DEPTH);
      return result(lambda1[0]! + lambda2[0]!, expected, DEVIATIONS * spread);
    },
  },
  ...[0.5, 1, 1.5].flatMap((scale) =>
    (["lambda1", "lambda2"] as const).map((which) => orthogonalCheck(scale, which)),
  ),
  {
    name: "λ₁ follows from central differences of the last hidden layer",
    source: "definition of the Jacobian",
    run(engine) {
      const { network, weights } = exposedNetwork();
      const x = [0.4375, -0.28125] as const;
      const bits = significandBits(engine, network, weights);
      const h = 2 ** -Math.round(bits / 3);
      const measured = exponentsOf(engine, network, weights, x).lambda1[0]!;
      const { s } = svd(differences(engine, { network, weights, x, h }), network.outputs, 2);
      // Central differences err by h²/6 of the third derivative and by rounding over h.
      return result(measured, log(s[0]!) / network.hidden.length, 64 * (h * h + 2 ** -bits / h));
    },
  },
];

const WIDTH = 32;
const DEPTH = 256;
/** Making a matrix orthogonal takes longer than multiplying by it. */
const DIFFERENT_LAYERS = 8;

/**
 * A linear network whose layers all have weights of one variance, whatever their fan-in. It is evaluated at
 * the origin, where activations do not grow with it.
 */
function gaussianNetwork(inputs: number) {
  const network = linearNetwork(inputs);
  const variance = 2 / WIDTH;
  const weights = initialWeights(network, { weightVariance: 1 / WIDTH, thresholdVariance: 0 }, KEY);
  const widths = layerWidths(network);
  return {
    network,
    variance,
    weights: weights.map(({ weight, bias }, below) => {
      const factor = Math.sqrt(variance * widths[below]!);
      return { weight: weight.map((w) => factor * w), bias };
    }),
  };
}

/** Mean of ln of the growth of a vector under N Gaussian rows of this variance. */
function growth(variance: number, N: number): number {
  return (log(2 * variance) + digamma(N / 2)) / 2;
}

/** Variance of the same: ln χ²_N has variance ψ'(N/2). */
function growthVariance(N: number): number {
  return trigamma(N / 2) / 4;
}

function orthogonalCheck(scale: number, which: "lambda1" | "lambda2"): ExactCheck {
  return {
    name: `${which} of a linear network of ${scale}·Q layers, Q orthogonal, is ln ${scale}`,
    source: "singular values of c·Q are c",
    run(engine) {
      const network = linearNetwork(2);
      const weights = scaledOrthogonal(scale);
      const bits = significandBits(engine, network, weights);
      const exponents = exponentsOf(engine, network, weights, [0, 0]);
      // Each layer rounds sums of N terms.
      return result(exponents[which][0]!, log(scale), 4 * WIDTH * 2 ** -bits);
    },
  };
}

/** Layers c·Q with orthonormal columns, of a few Q in turn; the output layer does not matter. */
function scaledOrthogonal(scale: number): Weights {
  const few = linearNetwork(2, 1 + DIFFERENT_LAYERS);
  const initial = initialWeights(few, { weightVariance: 1, thresholdVariance: 0 }, KEY);
  const [first, ...hidden] = initial
    .slice(0, -1)
    .map(({ weight, bias }) => ({ weight: scaledColumns(weight, scale), bias }));
  const others = Array.from({ length: DEPTH - 1 }, (_, layer) => hidden[layer % hidden.length]!);
  return [first!, ...others, initial.at(-1)!];
}

/** c times the columns of a matrix of WIDTH rows, made orthonormal. */
function scaledColumns(matrix: ArrayLike<number>, scale: number): Float64Array {
  const cols = matrix.length / WIDTH;
  const columns = Float64Array.from(matrix);
  orthonormaliseRows(columns, cols, WIDTH);
  return Float64Array.from(
    matrix,
    (_, at) => scale * columns[(at % cols) * WIDTH + Math.floor(at / cols)]!,
  );
}

/** A tanh network whose output is its last hidden layer. */
function exposedNetwork(): { network: NetworkShape; weights: Weights } {
  const N = 8;
  const network: NetworkShape = {
    inputs: 2,
    hidden: [N, N, N],
    outputs: N,
    activation: "tanh",
    outputActivation: "linear",
  };
  const scale = { weightVariance: 1.5 / N, thresholdVariance: 0.25 };
  const hidden = initialWeights(network, scale, KEY).slice(0, -1);
  const identity = Float64Array.from({ length: N * N }, (_, at) => (at % (N + 1) === 0 ? 1 : 0));
  return { network, weights: [...hidden, { weight: identity, bias: new Float64Array(N) }] };
}

/** Central differences of the outputs along both inputs, [outputs, 2]. */
function differences(
  engine: CheckedEngine,
  at: {
    readonly network: NetworkShape;
    readonly weights: Weights;
    readonly x: readonly [number, number];
    readonly h: number;
  },
): Float64Array {
  const { network, weights, h } = at;
  const [x, y] = at.x;
  const loaded = engine.load(network, weights);
  const rows = network.outputs;
  const outputs = loaded.outputs(Float32Array.of(x + h, y, x - h, y, x, y + h, x, y - h));
  loaded.dispose();
  return Float64Array.from({ length: 2 * rows }, (_, index) => {
    const i = Math.floor(index / 2);
    const forward = 2 * (index % 2);
    return (outputs[forward * rows + i]! - outputs[(forward + 1) * rows + i]!) / (2 * h);
  });
}

function linearNetwork(inputs: number, depth = DEPTH): NetworkShape {
  return {
    inputs,
    hidden: new Array<number>(depth).fill(WIDTH),
    outputs: 1,
    activation: "linear",
    outputActivation: "linear",
  };
}

function exponentsOf(
  engine: CheckedEngine,
  network: NetworkShape,
  weights: Weights,
  input: readonly number[],
) {
  const loaded = engine.load(network, weights);
  const exponents = loaded.exponents(Float32Array.from(input));
  loaded.dispose();
  return exponents;
}

/** Bits of the engine's significands: rounding changes a number by a factor 1 ± 2^−bits at most. */
function significandBits(engine: CheckedEngine, network: NetworkShape, weights: Weights): number {
  const loaded = engine.load(network, weights);
  const isSingle = loaded.weights()[0]!.weight instanceof Float32Array;
  loaded.dispose();
  return isSingle ? 24 : 53;
}

function result(measured: number, expected: number, tolerance: number): CheckResult {
  return { measured, expected, tolerance, ok: Math.abs(measured - expected) <= tolerance };
}
