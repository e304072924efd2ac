import type { FieldTask, TrainTask } from "../shared/messages.ts";
import type { Cell, Plan } from "./plan.ts";
import { trainTask } from "./plan.ts";
import type { FieldState, StoreState } from "./store/scan.ts";
import { tileTask } from "./tile-task.ts";

/** A task that is to be done, with what its result concerns. */
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

/** A field of which tiles lack. */
export interface OpenField {
  readonly state: FieldState;
  /** Tiles without an outcome. */
  pending: number;
}

/** What is still to be done, best first. */
export interface Backlog {
  /** Tiles of trained cells before further trainings; undefined if there is nothing just now. */
  next(): Job | undefined;
  /** Adds the tiles that a trained cell's field lacks. */
  open(cell: Cell, state: FieldState): OpenField;
}

export function createBacklog(plan: Plan, { cells, dead }: StoreState): Backlog {
  const trainings = untrained(plan, cells, dead);
  const fields: Iterator<Job>[] = [];

  function* tilesOf(cell: Cell, field: OpenField): Generator<Job> {
    const { description, tiles } = field.state;
    for (let tile = 0; tile < tiles.length; tile++) {
      if (tiles[tile] === 1) continue;
      const task = tileTask(plan, cell, description, tile);
      if (!dead.has(task.id)) yield { kind: "field", task, cell, field, tile };
    }
  }

  return {
    next() {
      for (;;) {
        const tiles = fields[0];
        if (tiles === undefined) return trainings.next().value ?? undefined;
        const { value, done } = tiles.next();
        if (!done) return value;
        fields.shift();
      }
    },
    open(cell, state) {
      const field: OpenField = { state, pending: 0 };
      for (const _ of tilesOf(cell, field)) field.pending++;
      fields.push(tilesOf(cell, field));
      return field;
    },
  };
}

function* untrained(
  plan: Plan,
  cells: StoreState["cells"],
  dead: ReadonlySet<string>,
): Generator<Job, undefined> {
  for (const { cell, record } of cells) {
    if (record !== null) continue;
    const task = trainTask(plan, cell);
    if (!dead.has(task.id)) yield { kind: "train", task, cell };
  }
  return undefined;
}
