import type { FieldGrid, Initialisation, Snapshot, Training } from "../../shared/cell.ts";
import type { Facts } from "../../shared/datasets/content.ts";
import type { OptionValues, SourceOptions } from "../../shared/datasets/data-set.ts";
import type { Activation, NetworkShape } from "../../shared/numerics/network.ts";

/**
 * A sweep spec after parsing: every default filled in, every axis a list of values. This is what
 * `sweep.json` holds and what the plan is made from; code that uses it never sees `undefined`.
 */
export interface Sweep extends ReadNetworks {
  readonly name: string;
  readonly axes: Axes;
  /** Axes that vary together: the lists of a group have the same length and are walked in step. */
  readonly zip: readonly (readonly AxisName[])[];
  /** Constraints over the axes, as written; a cell is in the sweep if all hold. */
  readonly where: readonly string[];
  readonly network: { readonly activation: Activation; readonly outputActivation: Activation };
  readonly thresholdVariance: Initialisation["thresholdVariance"];
  /** Data set name with every option filled in. */
  readonly data: {
    readonly name: string;
    readonly options: OptionValues;
    /** Where and how a set from files is read. */
    readonly source?: SourceOptions;
  };
  /** What was read from files; absent of generated data sets, and while the files have not been read. */
  readonly content?: SweepContent;
  readonly training: Training & { readonly snapshots: readonly Snapshot[] };
  /** null: trainings only. */
  readonly field: (FieldGrid & { readonly tile: number | "auto" }) | null;
  /** What is computed of every trained network besides its field; absent if nothing. */
  readonly analyses?: readonly SweepAnalysis[];
  /**
   * Sections as written, of a sweep with axes over parameters: each combination of their values is put in, and then the
   * defaults that follow from it (`variants.ts`). The sections in this record are those of the first combination.
   */
  readonly given?: GivenSections;
  /** As asked for; resolved to an engine id once, when the sweep is first planned. */
  readonly engine: "auto" | "native" | "tfjs" | "reference";
}

/** An analysis by name, with every option given. */
export interface SweepAnalysis {
  readonly name: string;
  readonly options: OptionValues;
}

/** What a sweep knows of the content of its files. */
export interface SweepContent {
  /** Of the content as it is stored and sent: `sha256:` and 64 hex digits. */
  readonly digest: string;
  readonly bytes: number;
  readonly facts: Facts;
}

/** What was read of imported networks. */
export interface ReadNetworks {
  /** By the value of the axis `network.weights`; absent without it, and while the files have not been read. */
  readonly networks?: Readonly<Record<string, ImportedNetwork>>;
}

export interface ImportedNetwork {
  readonly shape: NetworkShape;
  /** Of the weights as they are stored and sent: `sha256:` and 64 hex digits. */
  readonly digest: string;
  readonly bytes: number;
}

/** `width` and `depth`, or `hidden` (explicit lists of layer widths), or networks from files. */
export interface Axes {
  readonly layers:
    | { readonly kind: "imported" }
    | {
        readonly kind: "lattice";
        readonly width: readonly number[];
        readonly depth: readonly number[];
      }
    | { readonly kind: "explicit"; readonly hidden: readonly (readonly number[])[] };
  readonly weightVariance: WeightVarianceAxis;
  readonly seed: readonly number[];
  /** Axes over options of `network`, `data` and `training`, slowest first; absent if there are none. */
  readonly parameters?: readonly ParameterAxis[];
}

export interface ParameterAxis {
  /** Such as `training.batch`. */
  readonly path: string;
  readonly values: readonly ParameterValue[];
}

export type ParameterValue = number | string | boolean;

/** A value for each path of the sweep's parameter axes. */
export type ParameterValues = Readonly<Record<string, ParameterValue>>;

/** The sections of a spec whose options may vary, as plain values. */
export interface GivenSections {
  readonly network?: unknown;
  readonly data?: unknown;
  readonly training?: unknown;
}

/**
 * `absolute`: σ_w² itself; `logGain`: values of ln(G·N·σ_w²), so σ_w² = exp(value)/(G·N), with
 * G = g'(0)² (1 for tanh and linear, 1/16 for sigmoid) or 1/2 for relu. `critical` is logGain 0.
 */
export type WeightVarianceAxis =
  | { readonly kind: "absolute"; readonly values: readonly number[] }
  | { readonly kind: "logGain"; readonly values: readonly number[] };

/** One of `LATTICE_AXES`, or the path of a parameter. */
export type AxisName = string;
