/** What the main thread asks the storing thread for. */
import type { CellPhysics } from "../../../shared/cell.ts";
import type {
  AnalysisResult,
  AnalysisTask,
  FieldResult,
  FieldTask,
  TrainResult,
} from "../../../shared/messages.ts";
import type { AnalysisRecord, CellRecord, FieldRecord } from "../cell-record.ts";
import type { FieldFolder } from "../field-links.ts";

export type StoreRequest = TrainingToStore | TileToStore | FieldToClose | AnalysisToStore;

/** A training: its weights first, then the record that vouches for them. */
export interface TrainingToStore {
  readonly kind: "training";
  readonly cell: string;
  readonly physics: CellPhysics;
  readonly result: TrainResult;
  /** Of each of the result's weights, by digest. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}

/** One tile's three chunks, and before the first of a field its metadata. */
export interface TileToStore {
  readonly kind: "tile";
  readonly field: FieldFolder;
  readonly tile: FieldTask["tile"];
  readonly result: FieldResult;
  /** With it the field is complete: the cell's record gets its statistics. */
  readonly closes: boolean;
}

/** A field whose tiles are all stored, and whose statistics its cell's record does not have. */
export interface FieldToClose {
  readonly kind: "close";
  readonly field: FieldFolder;
}

/** What an analysis found: its arrays first, then the cell's record with its columns. */
export interface AnalysisToStore {
  readonly kind: "analysis";
  readonly task: AnalysisTask;
  /** Of the analysis with its options. */
  readonly id: string;
  readonly result: AnalysisResult;
}

/** The record of a training or of an analysis, the statistics of a field that is complete now, or null. */
export type Stored = CellRecord | FieldRecord | AnalysisRecord | null;

export interface NumberedRequest {
  readonly number: number;
  readonly request: StoreRequest;
}

export type StoreReply =
  | { readonly number: number; readonly stored: Stored }
  | { readonly number: number; readonly error: StoreFault };

/** An error as it crosses threads, which keep neither its class nor its members. */
export interface StoreFault {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  /** Of a `StoreError`. */
  readonly path?: string | undefined;
}

export function cellOf(request: StoreRequest): string {
  if (request.kind === "training") return request.cell;
  return request.kind === "analysis" ? request.task.cell : request.field.description.cell;
}
