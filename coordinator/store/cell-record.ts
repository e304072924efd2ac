import type { AnalysisRef } from "../../shared/analyses/registry.ts";
import type { CellPhysics, Snapshot } from "../../shared/cell.ts";
import { UsageError } from "../../shared/errors.ts";
import type { History, Provenance } from "../../shared/messages.ts";
import { sealJson, unsealJson } from "./sealed-json.ts";

/** What `cell.json` holds: one network's parameters and training, and the digests of the files beside it. */
export interface CellRecord {
  readonly format: 1;
  readonly cell: string;
  readonly physics: CellPhysics;
  readonly status: "trained" | "diverged";
  /** Why it counts as diverged; empty if trained. */
  readonly reason: string;
  /** Epochs done. */
  readonly epochs: number;
  /** As in the training's result; null where a number was not finite. */
  readonly history: Readonly<
    Record<"trainLoss" | "trainAccuracy" | "testLoss" | "testAccuracy", readonly (number | null)[]>
  >;
  readonly weights: readonly WeightsRecord[];
  readonly provenance: Provenance;
  /** Fields that are complete. */
  readonly fields: readonly FieldRecord[];
  /** Absent if there is none. */
  readonly analyses?: readonly AnalysisRecord[];
}

/** What an analysis found, and the files of its arrays. */
export interface AnalysisRecord {
  readonly name: string;
  readonly version: number;
  readonly options: AnalysisRef["options"];
  readonly snapshot: Snapshot;
  /** Of the analysis with its options, and of what else it reads. */
  readonly id: string;
  /** Digest of the weights that it is of. */
  readonly weights: string;
  /** null where there is no number. */
  readonly columns: Readonly<Record<string, number | null>>;
  /** Below the folder of its arrays; none if it has no arrays. */
  readonly files: readonly StoredFile[];
}

export interface StoredFile {
  readonly path: string;
  readonly bytes: number;
  /** `sha256:` of the file. */
  readonly digest: string;
}

export interface WeightsRecord {
  readonly snapshot: Snapshot;
  readonly epoch: number;
  /** `sha256:` of the file. */
  readonly digest: string;
  readonly bytes: number;
}

export interface FieldRecord {
  readonly snapshot: Snapshot;
  /** Id of the field's grid. */
  readonly field: string;
  readonly statistics: FieldStatistics;
}

/** Statistics of λ₁ of the last hidden layer over the points of one field; null where there is no such point. */
export interface FieldStatistics {
  readonly lambda1Mean: number | null;
  /** Population standard deviation. */
  readonly lambda1Std: number | null;
  readonly lambda1Min: number | null;
  readonly lambda1Max: number | null;
  /** Mean over the points of the middle tenth of each side. */
  readonly lambda1Centre: number | null;
  /** Mean over the points next to a change of the output's sign: the decision boundary. */
  readonly lambda1Boundary: number | null;
  /** Points whose λ₁ is not finite. */
  readonly notFinite: number;
  /** Points with a layer so saturated that float32 cannot hold its slopes (`saturation.ts`); absent if there is none. */
  readonly saturated?: number;
}

export function writeCellRecord(record: CellRecord): string {
  return sealJson({ ...record });
}

/**
 * @returns null if the text is damaged, or is sealed but not a record: anyone can seal a text.
 * @throws UsageError if it is intact and of another format: nothing of it must be overwritten.
 */
export function readCellRecord(text: string): CellRecord | null {
  const content = unsealJson(text);
  if (content === null) return null;
  refuseOtherFormat(content);
  return isRecord(content) ? content : null;
}

/** Whether the members that paths and computations depend on are what they should be; by hand, because 10⁵ are read. */
export function isRecord(content: object): content is CellRecord {
  const { cell, physics, status, reason, epochs, history, weights, provenance, fields, analyses } =
    content as Members;
  return (
    typeof cell === "string" &&
    isPhysics(physics) &&
    (status === "trained" || status === "diverged") &&
    typeof reason === "string" &&
    isCount(epochs, 0) &&
    isMap(history) &&
    isNumbers(history.trainLoss) &&
    isNumbers(history.trainAccuracy) &&
    isNumbers(history.testLoss) &&
    isNumbers(history.testAccuracy) &&
    Array.isArray(weights) &&
    weights.every(isWeights) &&
    isMap(provenance) &&
    Number.isFinite(provenance.seconds) &&
    Array.isArray(fields) &&
    fields.every(isField) &&
    (analyses === undefined || (Array.isArray(analyses) && analyses.every(isAnalysis)))
  );
}

type Members = Readonly<Record<string, unknown>>;

function isPhysics(physics: unknown): boolean {
  if (!isMap(physics) || typeof physics.engine !== "string" || !isMap(physics.network))
    return false;
  const { hidden } = physics.network;
  return Array.isArray(hidden) && hidden.length > 0 && hidden.every((width) => isCount(width, 1));
}

function isWeights(weights: unknown): boolean {
  if (!isMap(weights)) return false;
  const { snapshot, epoch, digest, bytes } = weights;
  return (
    isSnapshot(snapshot) && isCount(epoch, 0) && typeof digest === "string" && isCount(bytes, 1)
  );
}

function isField(record: unknown): boolean {
  if (!isMap(record)) return false;
  const { snapshot, field, statistics } = record;
  const isName = typeof field === "string" && /^[0-9a-f]{8}$/.test(field);
  return isSnapshot(snapshot) && isName && isMap(statistics);
}

function isAnalysis(record: unknown): boolean {
  if (!isMap(record)) return false;
  const { name, version, options, snapshot, id, weights, columns, files } = record;
  return (
    typeof name === "string" &&
    /^\w+$/.test(name) &&
    isCount(version, 1) &&
    isMap(options) &&
    isSnapshot(snapshot) &&
    typeof id === "string" &&
    /^[0-9a-f]{8}$/.test(id) &&
    typeof weights === "string" &&
    isMap(columns) &&
    isNumbers(Object.values(columns)) &&
    Array.isArray(files) &&
    files.every(isStoredFile)
  );
}

/** No path that leads out of its folder. */
function isStoredFile(file: unknown): boolean {
  if (!isMap(file)) return false;
  const { path, bytes, digest } = file;
  const isBelow = typeof path === "string" && /^(\w+\/)?[\w.]+$/.test(path) && !path.includes("..");
  return isBelow && isCount(bytes, 1) && typeof digest === "string";
}

function isSnapshot(snapshot: unknown): boolean {
  return snapshot === "end" || isCount(snapshot, 0);
}

function isMap(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

function isNumbers(values: unknown): boolean {
  return Array.isArray(values) && values.every((value) => value === null || Number.isFinite(value));
}

/** @throws UsageError if the sealed content is of another format than this program's. */
export function refuseOtherFormat({ format }: Record<string, unknown>): void {
  if (format === 1) return;
  throw new UsageError(
    `expected a store of format 1, found format ${format}: it was written by another version of ftle, use that version`,
  );
}

export function storedHistory(history: History): CellRecord["history"] {
  return {
    trainLoss: finiteOrNull(history.trainLoss),
    trainAccuracy: finiteOrNull(history.trainAccuracy),
    testLoss: finiteOrNull(history.testLoss),
    testAccuracy: finiteOrNull(history.testAccuracy),
  };
}

/** An analysis' columns as a record holds them. */
export function storedColumns(
  columns: Readonly<Record<string, number>>,
): AnalysisRecord["columns"] {
  const entries = Object.entries(columns);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Number.isFinite(value) ? value : null]),
  );
}

/** Accuracy on the test split at the end of training. */
export function testAccuracy({ history }: CellRecord): number {
  return history.testAccuracy.at(-1) ?? Number.NaN;
}

export function fieldRecord(
  { fields }: CellRecord,
  snapshot: Snapshot,
  field: string,
): FieldRecord | undefined {
  return fields.find((other) => other.snapshot === snapshot && other.field === field);
}

export function analysisRecord(
  { analyses = [] }: CellRecord,
  snapshot: Snapshot,
  id: string,
): AnalysisRecord | undefined {
  return analyses.find((other) => other.snapshot === snapshot && other.id === id);
}

/** JSON has no NaN and no infinity. */
function finiteOrNull(values: readonly number[]): (number | null)[] {
  return values.map((value) => (Number.isFinite(value) ? value : null));
}
