import type { NetworkShape } from "./numerics/network.ts";
import type { Schedule } from "./numerics/schedule.ts";
import type { Loss, Optimizer } from "./numerics/training.ts";

/** A snapshot along training: after so many epochs (0 = the initial weights), or where training ends. */
export type Snapshot = number | "end";

/**
 * Everything that determines a cell's numbers, and nothing else. Its canonical JSON is what the cell id
 * hashes: a field added here changes every id.
 */
export interface CellPhysics {
  readonly data: DataSetRef;
  readonly network: NetworkShape;
  readonly initialisation: Initialisation | Imported;
  readonly training: Training;
  /** Seed of this realisation, an integer ≥ 0. */
  readonly seed: number;
  /** Id of the engine, which names its arithmetic. */
  readonly engine: string;
}

/** A data set by name and options; the digest proves that both sides made the same samples. */
export interface DataSetRef {
  readonly name: string;
  readonly options: Readonly<Record<string, number | boolean | string | readonly number[]>>;
  /** `sha256:` and 64 hex digits over inputs and targets of both splits; of a set from files, over what was read. */
  readonly digest: string;
}

export interface Initialisation {
  /**
   * σ_w² of an N→N layer, N = `hidden[0]`; a layer of fan-in n draws with variance σ_w²·N/n, so the
   * gain N·σ_w² is the same in every layer.
   */
  readonly weightVariance: number;
  /** Variance of the Gaussian thresholds θ, ≥ 0; 0 in the letter. */
  readonly thresholdVariance: number;
}

/** Initial weights from a file, in place of random ones. */
export interface Imported {
  /** `sha256:` and 64 hex digits of the weights as `encodeWeights` writes them, without metadata. */
  readonly weights: string;
}

export interface Training {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /** How the optimizer's learning rate changes; absent: it is constant. */
  readonly schedule?: Schedule;
  readonly batch: number;
  readonly epochs: number;
  readonly weightDecay: number;
  /** `hidden`: only the output layer learns (the letter's Fig. 3a, random features). */
  readonly freeze: "none" | "hidden";
  /** Training ends after the first epoch whose test accuracy reaches this, in (0, 1]; null: never early. */
  readonly stopAtAccuracy: number | null;
  /** In order of time, without repetition. A snapshot after the stop contains the stopped network. */
  readonly snapshots: readonly Snapshot[];
}

/** A rectangle of the input plane. */
export interface Region {
  readonly x: readonly [from: number, to: number];
  readonly y: readonly [from: number, to: number];
}

/** The grid on which a field is computed; its own identity within a cell (with the snapshot). */
export interface FieldGrid {
  readonly region: Region;
  /** Points per side: the field has points × points, at the centres of equal squares. */
  readonly points: number;
  readonly layers: "last" | "all";
  /** Where the plane lies among more than two inputs; absent: it is that of the two inputs. */
  readonly plane?: Plane;
}

/**
 * `through`: the plane of three points; the first is (0, 0), the second (1, 0), and the third has a positive second
 * coordinate, both coordinates in units of the distance of the first two. `axes`: two inputs, counted from 0, as they are,
 * the others as at a point.
 */
export type Plane =
  | { readonly through: readonly [PlanePoint, PlanePoint, PlanePoint] }
  | { readonly axes: readonly [first: number, second: number]; readonly at: PlanePoint };

/** A sample of the data set by its number in a split, from 0; or every input. */
export type PlanePoint = { readonly train: number } | { readonly test: number } | readonly number[];
