/** The life of a field in a run: its tiles are queued, and its statistics are computed after the last one. */
import { join } from "node:path";
import type { FieldResult } from "../../shared/messages.ts";
import type { Cell } from "../plan/plan.ts";
import type { CellRecord } from "../store/cell-record.ts";
import { fieldRecord } from "../store/cell-record.ts";
import { statisticsOf } from "../store/field-statistics.ts";
import { readFieldArray } from "../store/field-zarr.ts";
import { fieldFolder } from "../store/layout.ts";
import type { FieldState } from "../store/scan.ts";
import { readRecord } from "../store/store.ts";
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
        await noteStatistics(run, { cell, state: field, last: null });
      }
    }
  }
}

export async function repairFields({ store }: Run, fields: readonly FieldState[]): Promise<void> {
  for (const field of fields) {
    if (field.isStale || field.metadata.size > 0) await store.repair(field);
  }
}

/** Queues the missing tiles of a trained cell's field. */
export async function openField(run: Run, cell: Cell, state: FieldState): Promise<void> {
  await closeIfComplete(run, { cell, field: run.backlog.open(cell, state), last: null });
}

/** A field with the tile that came last; null: not in memory. */
interface LastTile {
  readonly cell: Cell;
  readonly field: OpenField;
  readonly last: FieldResult | null;
}

/** After a field's last tile its statistics are stored, and workers no longer need its weights. */
export async function closeIfComplete(run: Run, { cell, field, last }: LastTile): Promise<void> {
  const { state, pending } = field;
  if (pending > 0) return;
  await run.transport.dropBlob(run.plan.sweep, state.description.weights);
  if (isOpen(state)) return;
  const isWhole = state.tiles.length === 1; // everything is in memory
  await noteStatistics(run, { cell, state, last: isWhole ? last : null });
}

function hasStatistics({ plan }: Run, record: CellRecord, { snapshot }: FieldState): boolean {
  return fieldRecord(record, snapshot, plan.field!.id) !== undefined;
}

async function noteStatistics(
  { plan, store, onEvent }: Run,
  { cell, state, last }: { cell: Cell; state: FieldState; last: FieldResult | null },
): Promise<void> {
  const { id, grid } = plan.field!;
  const { snapshot } = state;
  const folder = join(store.directory, fieldFolder(cell.id, snapshot, id));
  const { lambda1, output } = last ?? (await readField(folder));
  const record = await readRecord(store.directory, cell.id);
  if (record === null) return;
  const statistics = await statisticsOf(
    { lambda1, output, grid },
    { directory: store.directory, record, snapshot },
  );
  const field = { snapshot, field: id, statistics };
  await store.putFieldRecord(record, field);
  onEvent({ kind: "mapped", cell, field });
}

/** Arrays of a whole field. */
async function readField(folder: string) {
  const lambda1 = await readFieldArray(folder, "lambda1");
  const output = await readFieldArray(folder, "output");
  return { lambda1, output };
}
