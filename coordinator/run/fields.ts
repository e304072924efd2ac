/** The life of a field in a run: its tiles are queued, and its statistics are computed after the last one. */
import type { Cell } from "../plan/plan.ts";
import type { CellRecord } from "../store/cell-record.ts";
import { fieldRecord } from "../store/cell-record.ts";
import type { FieldState } from "../store/scan.ts";
import type { OpenField } from "./backlog.ts";
import type { Run } from "./run.ts";
import { releaseWeights, useWeights } from "./weights-in-use.ts";

/** Whether tiles are missing. */
export function isOpen({ tiles }: FieldState): boolean {
  return tiles.includes(0);
}

/** Repairs what the scan found damaged, and queues the tiles that are missing. */
export async function prepareFields(run: Run): Promise<void> {
  for (const { cell, record, fields } of run.state.cells) {
    if (fields.length === 0) continue;
    run.over.signal.throwIfAborted();
    await repairFields(run, fields);
    for (const field of fields) {
      if (isOpen(field)) open(run, cell, field);
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

/** Queues the missing tiles of a cell's field, or if it has all of them, notes its statistics. */
export async function openField(run: Run, cell: Cell, state: FieldState): Promise<void> {
  const { pending } = open(run, cell, state);
  if (pending === 0 && !isOpen(state)) await noteStatistics(run, cell, state);
}

function open(run: Run, cell: Cell, state: FieldState): OpenField {
  const field = run.backlog.open(cell, state);
  if (field.pending > 0) useWeights(run, state.description.weights);
  else run.backlog.close(cell);
  return field;
}

/** A tile of the field was given up. Without pending tiles it needs its weights no more. */
export async function closeIfOver(run: Run, cell: Cell, { state, pending }: OpenField) {
  if (pending > 0) return;
  run.backlog.close(cell);
  await releaseWeights(run, state.description.weights);
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
