/** The life of a field in a run: its tiles are queued, and its statistics are computed after the last one. */
import type { Cell } from "../plan/plan.ts";
import type { CellRecord } from "../store/cell-record.ts";
import { fieldRecord } from "../store/cell-record.ts";
import type { FieldState } from "../store/scan.ts";
import type { OpenField } from "./backlog.ts";
import type { Run } from "./run.ts";

/** Whether tiles are missing. */
export function isOpen({ tiles }: FieldState): boolean {
  return tiles.includes(0);
}

/** Repairs what the scan found damaged, and queues the tiles that are missing. */
export async function prepareFields(run: Run): Promise<void> {
  for (const { cell, record, fields } of run.state.cells) {
    run.over.signal.throwIfAborted();
    await repairFields(run, fields);
    for (const field of fields) {
      if (isOpen(field)) run.backlog.open(cell, field);
      else if (record !== null && !hasStatistics(run, record, field)) {
        await noteStatistics(run, cell, field);
      }
    }
  }
}

export async function repairFields({ store }: Run, fields: readonly FieldState[]): Promise<void> {
  for (const field of fields) {
    if (field.isStale || field.metadata.size > 0) await store.repair(field);
  }
}

/** Queues the missing tiles of a cell's field. Its weights are where the workers find them: its training put them there. */
export async function openField(run: Run, cell: Cell, state: FieldState): Promise<void> {
  const field = run.backlog.open(cell, state);
  run.offers.set(field, Promise.resolve());
  await closeIfComplete(run, cell, field);
}

/** A field without pending tiles needs its weights no more, and if it has all of them, gets its statistics. */
export async function closeIfComplete(
  run: Run,
  cell: Cell,
  { state, pending }: OpenField,
): Promise<void> {
  if (pending > 0) return;
  run.backlog.close(cell);
  await dropWeights(run, state);
  if (!isOpen(state)) await noteStatistics(run, cell, state);
}

/** No more tiles of the field are to be computed. */
export async function dropWeights(
  { transport, plan }: Run,
  { description }: FieldState,
): Promise<void> {
  await transport.dropBlob(plan.sweep, description.weights);
}

function hasStatistics({ plan }: Run, record: CellRecord, { snapshot }: FieldState): boolean {
  return fieldRecord(record, snapshot, plan.field!.id) !== undefined;
}

async function noteStatistics(
  { store, onEvent }: Run,
  cell: Cell,
  state: FieldState,
): Promise<void> {
  const field = await store.closeField(state);
  if (field !== null) onEvent({ kind: "mapped", cell, field });
}
