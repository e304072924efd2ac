import type { Region } from "../cell.ts";
import type { TrainingSet } from "../numerics/training.ts";

export type OptionValue = number | boolean | string;

/** A data set's options by name, every one given. */
export type OptionValues = Readonly<Record<string, OptionValue>>;

/** One option: its default, what values it takes, and what it means. */
export type OptionRule =
  | {
      readonly kind: "boolean";
      readonly default: boolean;
      readonly shapes?: boolean;
      readonly doc: string;
    }
  | {
      readonly kind: "integer" | "number";
      readonly default: number;
      readonly minimum?: number;
      readonly maximum?: number;
      /** Bounds that are not themselves allowed. */
      readonly exclusiveMinimum?: number;
      readonly exclusiveMaximum?: number;
      /** Whether inputs or targets depend on it. */
      readonly shapes?: boolean;
      readonly doc: string;
    };

/**
 * How a data set's targets are to be read: `sign`, −1 or +1; `classes`, the number of the class from 0; `values`, numbers
 * to be met. What a network is trained on follows from that and from the loss (`targets.ts`).
 */
export type TargetKind =
  | { readonly kind: "sign" }
  | { readonly kind: "classes"; readonly count: number }
  | { readonly kind: "values"; readonly count: number };

/** Samples with their targets as `TargetKind` says: one number each, or `count` of `values`. */
export type Samples = TrainingSet;

/** What a network learns. Its samples are a pure function of its options, the same on every machine. */
export interface DataSet<Options extends OptionValues = OptionValues> {
  readonly name: string;
  /** One sentence. */
  readonly doc: string;
  readonly options: { readonly [Name in keyof Options]: OptionRule };
  /** Input dimension. */
  inputs(options: Options): number;
  targets(options: Options): TargetKind;
  /** The part of the plane of the first two inputs that holds the data: of two inputs, the default region of a field. */
  region(options: Options): Region;
  make(options: Options): Splits;
}

export interface Splits {
  readonly train: Samples;
  readonly test: Samples;
}

export function defaultOptions<Options extends OptionValues>(dataSet: DataSet<Options>): Options {
  const entries = Object.entries<OptionRule>(dataSet.options);
  return Object.fromEntries(entries.map(([name, rule]) => [name, rule.default])) as Options;
}
