import type { FieldResult } from "../../shared/messages.ts";
import { fieldEnded } from "./analyses.ts";
import type { Job } from "./backlog.ts";
import { isOpen } from "./fields.ts";
import type { Run } from "./run.ts";
import { releaseWeights } from "./weights-in-use.ts";

/** Stores a tile and, with the last of its field, the field's statistics. */
export async function keepTile(
  run: Run,
  { cell, field, task, tile }: Extract<Job, { kind: "field" }>,
  { result, onStored }: { result: FieldResult; onStored: () => void },
): Promise<void> {
  const { state } = field;
  // Tiles of a field are stored in the order in which they come: the one that comes last completes it.
  state.tiles[tile] = 1;
  field.pending--;
  const isLast = field.pending === 0;
  const completes = isLast && !isOpen(state);
  if (isLast) {
    run.backlog.close(cell);
    run.analyses?.completing.add(state);
  }
  const mapped = await run.store.putTile(state, task, { result, completes });
  onStored();
  if (isLast) await releaseWeights(run, state.description.weights);
  if (mapped !== null) run.onEvent({ kind: "mapped", cell, field: mapped });
  if (!isLast) return;
  run.analyses?.completing.delete(state);
  await fieldEnded(run, cell);
}
