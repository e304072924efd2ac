import type { FieldTask, TrainTask } from "../../shared/messages.ts";
import type { Cell, Plan } from "../plan/plan.ts";
import { trainTask } from "../plan/plan.ts";
import type { FieldState, StoreState } from "../store/scan.ts";
import { tileTask } from "../store/tile-task.ts";

/** A task to be done, with the cell and the tile that its result is for. */
export type Job =
  | { readonly kind: "train"; readonly task: TrainTask; readonly cell: Cell }
  | {
      readonly kind: "field";
      readonly task: FieldTask;
      readonly cell: Cell;
      readonly field: OpenField;
      /** The tile's place in `field.state.tiles`. */
      readonly tile: number;
    };

/** A field with missing tiles. */
export interface OpenField {
  readonly state: FieldState;
  /** Tiles without an outcome. */
  pending: number;
}

/** What is still to be done, best first. */
export interface Backlog {
  /** Tiles of trained cells before further trainings; undefined if there is nothing at the moment. */
  next(): Job | undefined;
  /** Adds the missing tiles of a trained cell's field. */
  open(cell: Cell, state: FieldState): OpenField;
  /** Forgets a field of which every tile has an outcome. */
  close(cell: Cell): void;
  /** The job of a task that an earlier coordinator handed out, not this one; undefined if it is not to be done. */
  take(task: string): Job | undefined;
}

export function createBacklog(plan: Plan, { cells, dead }: StoreState): Backlog {
  const trainings: Source = {
    handedOut: new Uint8Array(cells.length),
    jobAt(index) {
      const { cell, record } = cells[index]!;
      if (record !== null) return null;
      const task = trainTask(plan, cell);
      return dead.has(task.id) ? null : { kind: "train", task, cell };
    },
  };
  const waiting: Source[] = []; // fields with tiles not handed out
  const fields = new Map<string, FieldSource[]>(); // cell → its open fields

  function tilesOf(cell: Cell, field: OpenField): FieldSource {
    const { description, tiles } = field.state;
    return {
      field,
      handedOut: new Uint8Array(tiles.length),
      jobAt(tile) {
        if (tiles[tile] === 1) return null;
        const task = tileTask(plan, cell, { description, index: tile });
        return dead.has(task.id) ? null : { kind: "field", task, cell, field, tile };
      },
    };
  }

  const firstTraining = cursor(trainings);
  const firstTile = new WeakMap<Source, () => Job | undefined>();

  return {
    next() {
      for (;;) {
        const field = waiting[0];
        if (field === undefined) return firstTraining();
        const job = firstTile.get(field)!();
        if (job !== undefined) return job;
        waiting.shift();
      }
    },

    take(task) {
      const [kind, cell = ""] = task.split("-");
      for (const source of kind === "train" ? [trainings] : (fields.get(cell) ?? [])) {
        const index = find(source, task);
        if (index === undefined) continue;
        source.handedOut[index] = 1;
        return source.jobAt(index)!;
      }
      return undefined;
    },

    close(cell) {
      const open = (fields.get(cell.id) ?? []).filter(({ field }) => field.pending > 0);
      if (open.length > 0) fields.set(cell.id, open);
      else fields.delete(cell.id);
    },

    open(cell, state) {
      const field: OpenField = { state, pending: 0 };
      const source = tilesOf(cell, field);
      for (let tile = 0; tile < state.tiles.length; tile++) {
        if (source.jobAt(tile) !== null) field.pending++;
      }
      waiting.push(source);
      firstTile.set(source, cursor(source));
      fields.set(cell.id, [...(fields.get(cell.id) ?? []), source]);
      return field;
    },
  };
}

/** Jobs by their place, and which of them are handed out. */
interface Source {
  readonly handedOut: Uint8Array;
  /** null if there is nothing to do there. */
  jobAt(index: number): Job | null;
}

interface FieldSource extends Source {
  readonly field: OpenField;
}

/** Hands out a source's jobs in order. */
function cursor({ handedOut, jobAt }: Source): () => Job | undefined {
  let at = 0;
  return () => {
    for (; at < handedOut.length; at++) {
      if (handedOut[at] === 1) continue;
      const job = jobAt(at);
      if (job === null) continue;
      handedOut[at] = 1;
      return job;
    }
    return undefined;
  };
}

/** The place of a job that is not handed out yet, by its task. */
function find({ handedOut, jobAt }: Source, task: string): number | undefined {
  for (let index = 0; index < handedOut.length; index++) {
    if (handedOut[index] === 0 && jobAt(index)?.task.id === task) return index;
  }
  return undefined;
}
