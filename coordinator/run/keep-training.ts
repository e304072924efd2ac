/** Stores a training with its weights, and opens the fields that follow from it. */
import { digestOf } from "../../shared/identity.ts";
import type { TrainResult } from "../../shared/messages.ts";
import type { Cell } from "../plan/plan.ts";
import { scanFields } from "../store/scan.ts";
import { isOpen, openField, repairFields } from "./fields.ts";
import type { Run } from "./run.ts";

export async function keepTraining(run: Run, cell: Cell, result: TrainResult): Promise<void> {
  const { plan, store, transport, onEvent } = run;
  const blobs = await weightsOf(run, result);
  const record = await store.putTraining(cell, result, blobs);
  // A cell trained again, because its record was lost, may have fields already.
  const { directory } = store;
  const fields = await scanFields(plan, record, { directory, thorough: true, damaged: [] });
  await repairFields(run, fields);
  for (const field of fields) await openField(run, cell, field);
  const needed = new Set(fields.filter(isOpen).map(({ description }) => description.weights));
  for (const digest of blobs.keys())
    if (!needed.has(digest)) await transport.dropBlob(plan.sweep, digest);
  onEvent({ kind: "trained", cell, record });
}

/** The weights of every snapshot, by digest. */
async function weightsOf(
  { plan, transport, over }: Run,
  { weights }: TrainResult,
): Promise<Map<string, Uint8Array>> {
  const blobs = new Map<string, Uint8Array>();
  for (const { digest } of weights) {
    const blob = await transport.getBlob(plan.sweep, digest, { signal: over.signal });
    if (digestOf(blob) !== digest) throw new Error(`blob ${digest} has other content`);
    blobs.set(digest, blob);
  }
  return blobs;
}
