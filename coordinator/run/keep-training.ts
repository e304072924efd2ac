/** Stores a training with its weights, and opens the fields that follow from it. */
import { join } from "node:path";
import type { TrainResult } from "../../shared/messages.ts";
import type { Cell } from "../plan/plan.ts";
import { kindAt } from "../store/entries.ts";
import { cellFolder } from "../store/layout.ts";
import { scanFields } from "../store/scan.ts";
import { scanAnalyses } from "../store/scan-analyses.ts";
import { openAnalyses } from "./analyses.ts";
import { openField, repairFields } from "./fields.ts";
import type { Run } from "./run.ts";
import { keepOrDropWeights } from "./weights-in-use.ts";

export async function keepTraining(
  run: Run,
  cell: Cell,
  { result, onStored }: { result: TrainResult; onStored: () => void },
): Promise<void> {
  const { plan, store, onEvent } = run;
  const { directory } = store;
  const blobs = await weightsOf(run, result);
  const wasThere = kindAt(join(directory, cellFolder(cell.id))) !== "absent";
  const record = await store.putTraining(cell, result, blobs);
  onStored();
  // A cell trained again, because its record was lost, may have fields already.
  const fields = await scanFields(plan, record, { directory, thorough: wasThere, damaged: [] });
  if (wasThere) await repairFields(run, fields);
  for (const field of fields) await openField(run, cell, field);
  const analyses = scanAnalyses(plan, record, { directory, thorough: true, damaged: [] });
  await openAnalyses(run, { cell, record, fields, analyses });
  for (const digest of blobs.keys()) await keepOrDropWeights(run, digest);
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
