/** What the main thread and the thread that computes beside the store send to each other. */
import type { PackedFindings } from "../../../shared/analyses/pack.ts";
import type { FieldGrid } from "../../../shared/cell.ts";
import type { ErrorRecord } from "../../../shared/errors.ts";
import type { AnalysisTask } from "../../../shared/messages.ts";

export interface BesideRequest {
  readonly task: AnalysisTask;
  readonly reads: ReadField | ReadSeeds;
}

/** Paths from the store's directory. */
export interface ReadField {
  readonly kind: "field";
  readonly folder: string;
  readonly grid: FieldGrid;
  readonly weights: string;
}

export interface ReadSeeds {
  readonly kind: "seeds";
  /** Of the arrays of the analysis that is read, of each member. */
  readonly folders: readonly string[];
  /** Their names. */
  readonly arrays: readonly string[];
}

export type BesideReply =
  | { readonly kind: "found"; readonly found: PackedFindings; readonly seconds: number }
  | { readonly kind: "error"; readonly error: ErrorRecord };
