import type { Region } from "../cell.ts";
import type { TrainingSet } from "../numerics/training.ts";

export type OptionValue = number | boolean | string;

/** A data set's options by name, every one given. */
export type OptionValues = Readonly<Record<string, OptionValue>>;

/** One option: its default, what values it takes, and what it means. */
export type OptionRule =
  | { readonly kind: "boolean"; readonly default: boolean; readonly doc: string }
  | {
      readonly kind: "integer" | "number";
      readonly default: number;
      readonly minimum?: number;
      readonly maximum?: number;
      /** Bounds that are not themselves allowed. */
      readonly exclusiveMinimum?: number;
      readonly exclusiveMaximum?: number;
      readonly doc: string;
    };

/** What a network learns. Its samples are a pure function of its options, the same on every machine. */
export interface DataSet<Options extends OptionValues = OptionValues> {
  readonly name: string;
  readonly doc: string;
  readonly options: { readonly [Name in keyof Options]: OptionRule };
  /** Input dimension. */
  readonly inputs: number;
  /** Values in a target. */
  readonly outputs: number;
  /** The part of the input plane that holds the data: the default region of a field. */
  region(options: Options): Region;
  make(options: Options): Splits;
}

export interface Splits {
  readonly train: TrainingSet;
  readonly test: TrainingSet;
}

export function defaultOptions<Options extends OptionValues>(dataSet: DataSet<Options>): Options {
  const entries = Object.entries<OptionRule>(dataSet.options);
  return Object.fromEntries(entries.map(([name, rule]) => [name, rule.default])) as Options;
}
