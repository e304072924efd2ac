import { z } from "zod";
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
  return recordForm.safeParse(content).success ? (content as unknown as CellRecord) : null;
}

const snapshot = z.union([z.int().min(0), z.literal("end")]);
const numbers = z.array(z.number().nullable());

/** The members that paths and computations depend on. */
const recordForm = z.looseObject({
  cell: z.string(),
  physics: z.looseObject({
    engine: z.string(),
    network: z.looseObject({ hidden: z.array(z.int().min(1)).min(1) }),
  }),
  status: z.enum(["trained", "diverged"]),
  reason: z.string(),
  epochs: z.int().min(0),
  history: z.looseObject({
    trainLoss: numbers,
    trainAccuracy: numbers,
    testLoss: numbers,
    testAccuracy: numbers,
  }),
  weights: z.array(
    z.looseObject({
      snapshot,
      epoch: z.int().min(0),
      digest: z.string(),
      bytes: z.int().min(1),
    }),
  ),
  provenance: z.looseObject({ seconds: z.number() }),
  fields: z.array(
    z.looseObject({
      snapshot,
      field: z.string().regex(/^[0-9a-f]{8}$/),
      statistics: z.looseObject({}),
    }),
  ),
});

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

/** JSON has no NaN and no infinity. */
function finiteOrNull(values: readonly number[]): (number | null)[] {
  return values.map((value) => (Number.isFinite(value) ? value : null));
}
