import type { Snapshot } from "../../shared/cell.ts";
import type { AnalysisTask, FieldTask, TrainTask } from "../../shared/messages.ts";
import type { AnalysisPlan, Cell, Plan } from "../plan/plan.ts";
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
    }
  | {
      readonly kind: "analysis";
      readonly task: AnalysisTask;
      readonly cell: Cell;
      readonly analysis: AnalysisOfCell;
    };

/** An analysis of a cell at a snapshot. `open`: it can be computed, and has no outcome yet. */
export interface AnalysisOfCell {
  readonly analysis: AnalysisPlan;
  readonly snapshot: Snapshot;
  /** Digest of the weights that it is of. */
  readonly weights: string;
  status: "waiting" | "open" | "stored" | "dead";
}

/** A field with missing tiles. */
export interface OpenField {
  readonly state: FieldState;
  /** Tiles without an outcome. */
  pending: number;
}

/** What is still to be done, best first. */
export interface Backlog {
  /** Tiles and analyses of trained cells before further trainings; undefined if there is nothing at the moment. */
  next(): Job | undefined;
  /** Adds the missing tiles of a trained cell's field. */
  open(cell: Cell, state: FieldState): OpenField;
  /** Adds a single job of a trained cell. */
  add(job: Extract<Job, { kind: "analysis" }>): void;
  /** Forgets the cell's fields of which every tile has an outcome, and its analyses that have one. */
  close(cell: Cell): void;
  /** Whether something of the cell has no outcome yet. */
  hasOpen(cell: Cell): boolean;
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
  const waiting: Source[] = []; // fields and analyses that are not handed out
  const open = new Map<string, OpenSource[]>(); // cell → its open fields and analyses

  function tilesOf(cell: Cell, field: OpenField): OpenSource {
    const { description, tiles } = field.state;
    return {
      isOpen: () => field.pending > 0,
      handedOut: new Uint8Array(tiles.length),
      jobAt(tile) {
        if (tiles[tile] === 1) return null;
        const task = tileTask(plan, cell, { description, index: tile });
        return dead.has(task.id) ? null : { kind: "field", task, cell, field, tile };
      },
    };
  }

  const firstTraining = cursor(trainings);
  const firstOf = new WeakMap<Source, () => Job | undefined>();

  function addSource(cell: Cell, source: OpenSource): void {
    waiting.push(source);
    firstOf.set(source, cursor(source));
    open.set(cell.id, [...(open.get(cell.id) ?? []), source]);
  }

  return {
    next() {
      for (;;) {
        const source = waiting[0];
        if (source === undefined) return firstTraining();
        const job = firstOf.get(source)!();
        if (job !== undefined) return job;
        waiting.shift();
      }
    },

    take(task) {
      const [kind, cell = ""] = task.split("-");
      for (const source of kind === "train" ? [trainings] : (open.get(cell) ?? [])) {
        const index = find(source, task);
        if (index === undefined) continue;
        source.handedOut[index] = 1;
        return source.jobAt(index)!;
      }
      return undefined;
    },

    close(cell) {
      const left = (open.get(cell.id) ?? []).filter(({ isOpen }) => isOpen());
      if (left.length > 0) open.set(cell.id, left);
      else open.delete(cell.id);
    },

    hasOpen: (cell) => open.has(cell.id),

    add(job) {
      const isOpen = () => job.analysis.status === "open";
      const jobAt = () => (isOpen() ? job : null);
      addSource(job.cell, { isOpen, handedOut: new Uint8Array(1), jobAt });
    },

    open(cell, state) {
      const field: OpenField = { state, pending: 0 };
      const source = tilesOf(cell, field);
      for (let tile = 0; tile < state.tiles.length; tile++) {
        if (source.jobAt(tile) !== null) field.pending++;
      }
      addSource(cell, source);
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

interface OpenSource extends Source {
  /** Whether there are jobs without an outcome. */
  isOpen(): boolean;
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
