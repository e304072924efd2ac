import type { CellPhysics, Snapshot } from "../../shared/cell.ts";
import type { Provenance } from "../../shared/messages.ts";
import type { FieldStatistics } from "../field-statistics.ts";
import { sealJson, unsealJson } from "./sealed-json.ts";

/** What `cell.json` holds: one network's parameters, training and the digests of what lies beside it. */
export interface CellRecord {
  readonly format: 1;
  readonly cell: string;
  readonly physics: CellPhysics;
  readonly status: "trained" | "diverged";
  /** Why it counts as diverged; empty when trained. */
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

export function writeCellRecord(record: CellRecord): string {
  return sealJson({ ...record });
}

/** @returns null if the text is damaged or of another format. */
export function readCellRecord(text: string): CellRecord | null {
  const content = unsealJson(text);
  return content?.format === 1 ? (content as unknown as CellRecord) : null;
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
