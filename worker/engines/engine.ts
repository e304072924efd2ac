import type { NetworkShape, Weights } from "../../shared/numerics/network.ts";
import type {
  OptimizerState,
  TrainingRule,
  TrainingSet,
  TrainingStats,
} from "../../shared/numerics/training.ts";

/**
 * What does the arithmetic in a thread. Every implementation passes `worker/testing/engine-contract.ts`.
 *
 * The epoch loop, early stopping, snapshots, random numbers, progress and abort checks are written
 * once, above the engines (`worker/tasks/`).
 */
export interface Engine {
  /**
   * Names the arithmetic, e.g. `reference-f64.1`. It is part of every cell id: two engines share an
   * id only if they give the same bytes, and the id changes when the bytes do.
   */
  readonly id: string;
  /**
   * Work for one call, in floating-point operations as `shared/work.ts` counts them: a fraction of a second,
   * and enough that a call's own cost does not count. Long work is cut there.
   */
  readonly callWork: number;
  /** What a person may want to know of it, e.g. the instruction set in use. */
  readonly details?: Readonly<Record<string, string>>;
  /**
   * Once `stop[0]` is not 0, a call in progress ends by throwing StoppedError. An engine in JavaScript need
   * not look: its thread can be terminated.
   *
   * @throws RangeError if the weights do not have the network's shape.
   */
  load(network: NetworkShape, weights: Weights, stop?: Int32Array): LoadedNetwork;
}

/** A network ready to work. Not shared between threads; calls run synchronously. */
export interface LoadedNetwork {
  /**
   * One pass of mini-batch training over the samples that `order` lists, in that order, in batches of
   * `rule.batch` (the last may be smaller). Changes the network and `state`.
   *
   * A non-finite loss is returned, not thrown; the caller decides that the training has diverged. An order of
   * no samples is no step.
   *
   * @throws RangeError if the output layer does not fit the loss, the set's arrays do not hold its samples, or
   * `order` lists others.
   */
  train(
    set: TrainingSet,
    order: Uint32Array,
    rule: TrainingRule,
    state: OptimizerState,
  ): TrainingStats;
  /**
   * Output activations, row-major [samples, outputs], for `inputs` [samples, inputs]. A sample's bytes do not
   * depend on the others; a NaN in its inputs makes its outputs NaN.
   * @throws RangeError if the inputs are not those of whole samples.
   */
  outputs(inputs: Float32Array): Float64Array;
  /**
   * Activations x^(l) of layer l = 1 … L+1, row-major [samples, N_l], for `inputs` [samples, inputs].
   * @throws RangeError for another layer, and for inputs that are not those of whole samples.
   */
  activations(inputs: Float32Array, layer: number): Float64Array;
  /**
   * Exponents, directions and outputs on a rectangle of a two-dimensional input plane.
   * @throws RangeError if the network does not have two inputs.
   */
  field(tile: GridTile): FieldTile;
  /**
   * λ₁ and λ₂ at each of `inputs` [points, inputs], for any input dimension. A point's bytes do not depend on
   * the others.
   * @throws RangeError if the inputs are not those of whole points.
   */
  exponents(inputs: Float32Array): PointExponents;
  /** A copy of the current weights, in the engine's own precision. */
  weights(): Weights;
  dispose(): void;
}

/** A rectangle of grid points: every (x[i], y[j]). */
export interface GridTile {
  /** First input coordinate of the columns. */
  readonly x: Float64Array;
  /** Second input coordinate of the rows. */
  readonly y: Float64Array;
  /** `last`: the exponent of layer L alone; `all`: of every l = 1…L. */
  readonly layers: "last" | "all";
}

/** Arrays over a tile, row-major; a point whose value is not finite holds NaN. */
export interface FieldTile {
  /** λ₁^(l) = (1/l) ln σ_max(J_l), natural logarithm; [layers, rows, columns]. */
  readonly lambda1: Float32Array;
  /** λ₂^(l) = (1/l) ln σ_2(J_l); −∞ where J_l has rank one; [layers, rows, columns]. */
  readonly lambda2: Float32Array;
  /** Angle of maximal stretching in the input plane, radians in (−π/2, π/2]; [layers, rows, columns]. */
  readonly direction: Float32Array;
  /** First output neuron's activation; [rows, columns]. */
  readonly output: Float32Array;
}

export interface PointExponents {
  /** λ₁ of layer L at each point; NaN at an input that is not finite, and where J = 0. */
  readonly lambda1: Float64Array;
  /** λ₂ of layer L at each point; −∞ where J has fewer than two non-zero singular values, NaN where λ₁ is. */
  readonly lambda2: Float64Array;
}
