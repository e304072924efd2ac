/** What an analysis is: a named, versioned, pure function of a network and of what else it says that it reads. */
import type { FieldGrid } from "../cell.ts";
import type { OptionRule, OptionValues, TargetKind } from "../datasets/data-set.ts";
import type { NetworkShape, Weights } from "../numerics/network.ts";
import type { Loss, TrainingSet } from "../numerics/training.ts";

/** A number of each network and snapshot: a column of `summary.csv`. */
export interface Column {
  readonly name: string;
  readonly unit?: string;
  readonly doc: string;
}

/** float32 numbers of each network and snapshot: an array of its Zarr group. */
export interface ArrayDescription {
  readonly name: string;
  readonly dimensions: readonly string[];
  readonly unit?: string;
  readonly doc: string;
}

/** What an analysis found. */
export interface Findings {
  /** Of every column; NaN where there is no number. */
  readonly columns: Readonly<Record<string, number>>;
  /** Of every array, row-major. */
  readonly arrays: Readonly<Record<string, FoundArray>>;
}

export interface FoundArray {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** What all analyses have. One that reads no more than that is a `NetworkAnalysis`. */
interface Described {
  /** Its name in specs and files: letters and digits. */
  readonly name: string;
  /** Is raised when the same options give other numbers. */
  readonly version: number;
  /** One sentence. */
  readonly doc: string;
  readonly options: Readonly<Record<string, OptionRule>>;
  /** In the order of the table. */
  readonly columns: readonly Column[];
  readonly arrays: readonly ArrayDescription[];
  /** What it expects of a sweep that is otherwise without faults; null: nothing else. */
  expects?(sweep: AnalysedSweep, options: OptionValues): string | null;
  /** About how many floating-point operations it takes; `shared/work.ts` counts those of a network. */
  work(size: AnalysedSize, options: OptionValues): number;
}

/** What may stand in the way of an analysis. */
export interface AnalysedSweep {
  readonly inputs: number;
  readonly targets: TargetKind;
  readonly field: FieldGrid | null;
}

export interface AnalysedSize {
  readonly network: NetworkShape;
  readonly samples: { readonly train: number; readonly test: number };
  /** Points of the field; 0 without one. */
  readonly points: number;
}

/** Of the network alone; computed by workers. */
export interface NetworkAnalysis extends Described {
  readonly reads: "network";
  compute(subject: NetworkSubject, options: OptionValues): Findings;
}

/** Of the network and its data set; computed by workers. */
export interface SamplesAnalysis extends Described {
  readonly reads: "samples";
  compute(subject: SamplesSubject, options: OptionValues): Findings;
}

/** Of a stored field; computed beside the store, when the field is complete. */
export interface FieldAnalysis extends Described {
  readonly reads: "field";
  compute(subject: FieldSubject, options: OptionValues): Findings;
}

/**
 * Of the networks that differ in their seed alone; computed beside the store, when another analysis of all of them is
 * stored. Each of them gets the findings.
 */
export interface SeedsAnalysis extends Described {
  readonly reads: "seeds";
  /** The analysis whose arrays it reads, and the options with which the spec must name that. */
  of(options: OptionValues): { readonly name: string; readonly options: OptionValues };
  compute(subject: SeedsSubject, options: OptionValues): Findings;
}

export type Analysis = NetworkAnalysis | SamplesAnalysis | FieldAnalysis | SeedsAnalysis;

export interface NetworkSubject {
  readonly network: NetworkShape;
  readonly weights: Weights;
  /** The network in the sweep's engine. */
  readonly engine: EngineNetwork;
  /** Says which part is done, 0…1; to be called at least every second. @throws when the task is to stop. */
  progress(part: number): void;
}

/** What an analysis may have an engine compute. */
export interface EngineNetwork {
  /** Floating-point operations of a call that takes a fraction of a second. */
  readonly callWork: number;
  /** Output activations, row-major [samples, outputs], of `inputs` [samples, inputs]. */
  outputs(inputs: Float32Array): Float64Array;
  /** Activations x^(l) of layer l = 1 … L+1, row-major [samples, N_l]. */
  activations(inputs: Float32Array, layer: number): Float64Array;
  /** λ₁ and λ₂ of the last hidden layer at each of `inputs` [points, inputs]; NaN where the network's slope is 0. */
  exponents(inputs: Float32Array): {
    readonly lambda1: Float64Array;
    readonly lambda2: Float64Array;
  };
}

export interface SamplesSubject extends NetworkSubject {
  /** With targets as the loss wants them (`datasets/targets.ts`). */
  readonly train: TrainingSet;
  readonly test: TrainingSet;
  readonly loss: Loss;
  /** How the targets are to be read. */
  readonly targets: TargetKind;
}

export interface FieldSubject {
  readonly network: NetworkShape;
  /** How the data set's targets are to be read. */
  readonly targets: TargetKind["kind"];
  readonly weights: Weights;
  readonly grid: FieldGrid;
  /** [layers, points, points]; the last layer is that of the last hidden layer. Over a plane, that within it. */
  readonly lambda1: Float32Array;
  /** As `lambda1`. */
  readonly direction: Float32Array;
  /** [points, points]; `numerics/decision.ts`. */
  readonly output: Float32Array;
}

export interface SeedsSubject {
  readonly network: NetworkShape;
  /** Of each of the networks, in the order of the axes: the arrays of the other analysis. */
  readonly members: readonly Readonly<Record<string, FoundArray>>[];
}
