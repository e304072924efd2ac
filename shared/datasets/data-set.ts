import type { Region } from "../cell.ts";
import type { TrainingSet } from "../numerics/training.ts";
import type { Content, Facts } from "./content.ts";

export type OptionValue = number | boolean | string | readonly number[];

/** A data set's options by name, every one given. */
export type OptionValues = Readonly<Record<string, OptionValue>>;

/** One option: its default, what values it takes, and what it means. */
export type OptionRule = Shaping & { readonly doc: string } & (
    | { readonly kind: "boolean"; readonly default: boolean }
    | {
        readonly kind: "integer" | "number";
        readonly default: number;
        readonly minimum?: number;
        readonly maximum?: number;
        /** Bounds that are not themselves allowed. */
        readonly exclusiveMinimum?: number;
        readonly exclusiveMaximum?: number;
      }
    | { readonly kind: "choice"; readonly default: string; readonly choices: readonly string[] }
    | {
        readonly kind: "integers";
        readonly default: readonly number[];
        readonly minimum: number;
        readonly maximum: number;
        /** The least number of different elements. */
        readonly least: number;
      }
  );

interface Shaping {
  /** Whether inputs or targets depend on it. */
  readonly shapes?: boolean;
  /** It decides what is read from files, which is done once: it cannot be an axis. */
  readonly isFixed?: boolean;
}

/** What says where and how a set is read: no part of its identity, which is that of what is read. */
export interface SourceRule {
  /** `path`: a file or folder; `columns`: one name or several; `column`: one. */
  readonly kind: "path" | "columns" | "column";
  readonly isRequired: boolean;
  readonly doc: string;
}

export type SourceOptions = Readonly<Record<string, string | readonly string[]>>;

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

/** How many samples each split has. */
export interface SampleCounts {
  readonly train: number;
  readonly test: number;
}

/** Room for so many numbers: of an ordinary array, or of memory that threads share. */
export type Room = (length: number) => Float32Array;

/** A data set by its options, or its options and what is read from files. */
interface Described<Options extends OptionValues, Given> {
  readonly name: string;
  /** One sentence. */
  readonly doc: string;
  readonly options: { readonly [Name in keyof Options]: OptionRule };
  /** Input dimension. */
  inputs(options: Options, given: Given): number;
  targets(options: Options, given: Given): TargetKind;
  /** The part of the plane of the first two inputs that holds the data: of two inputs, the default region of a field. */
  region(options: Options, given: Given): Region;
}

/** What a network learns. Its samples are a pure function of its options, the same on every machine. */
export interface DataSet<Options extends OptionValues = OptionValues>
  extends Described<Options, void> {
  readonly source?: undefined;
  make(options: Options): Splits;
}

/** A data set that is read from files. Its samples are a pure function of its options and of what is read. */
export interface FileDataSet<Options extends OptionValues = OptionValues>
  extends Described<Options, Facts> {
  readonly source: Readonly<Record<string, SourceRule>>;
  /** Before it is made. */
  counts(options: Options, facts: Facts): SampleCounts;
  make(options: Options, content: Content, room?: Room): Splits;
}

export type AnyDataSet = DataSet | FileDataSet;

export interface Splits {
  readonly train: Samples;
  readonly test: Samples;
}

export function defaultOptions<Options extends OptionValues>(
  dataSet: DataSet<Options> | FileDataSet<Options>,
): Options {
  const entries = Object.entries<OptionRule>(dataSet.options);
  return Object.fromEntries(entries.map(([name, rule]) => [name, rule.default])) as Options;
}
