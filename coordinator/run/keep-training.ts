/** Stores a training with its weights, and opens the fields that follow from it. */
import { join } from "node:path";
import type { TrainResult } from "../../shared/messages.ts";
import type { Cell } from "../plan/plan.ts";
import { kindAt } from "../store/entries.ts";
import { cellFolder } from "../store/layout.ts";
import { scanFields } from "../store/scan.ts";
import { isOpen, openField, repairFields } from "./fields.ts";
import type { Run } from "./run.ts";

export async function keepTraining(
  run: Run,
  cell: Cell,
  { result, onStored }: { result: TrainResult; onStored: () => void },
): Promise<void> {
  const { plan, store, transport, onEvent } = run;
  const { directory } = store;
  const blobs = await weightsOf(run, result);
  const wasThere = kindAt(join(directory, cellFolder(cell.id))) !== "absent";
  const record = await store.putTraining(cell, result, blobs);
  onStored();
  // A cell trained again, because its record was lost, may have fields already.
  const fields = await scanFields(plan, record, { directory, thorough: wasThere, damaged: [] });
  if (wasThere) await repairFields(run, fields);
  for (const field of fields) await openField(run, cell, field);
  // What the fields need stays where the workers find it.
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
  const { signal } = over;
  const digests = [...new Set(weights.map(({ digest }) => digest))];
  const blobs = await Promise.all(
    digests.map((digest) => transport.getBlob(plan.sweep, digest, { signal })),
  );
  return new Map(digests.map((digest, i) => [digest, blobs[i]!]));
}
