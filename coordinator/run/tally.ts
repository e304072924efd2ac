import type { Load, TaskKind } from "../plan/cost.ts";
import { TASK_KINDS } from "../plan/cost.ts";
import type { Cell, Plan } from "../plan/plan.ts";
import type { CellStatus } from "../store/cell-status.ts";
import { cellCounts } from "../store/cell-status.ts";
import type { StoreState } from "../store/scan.ts";
import { untouched } from "../store/scan.ts";
import { loadOf, plus, remainingLoad, remainingOf, storedLoad } from "./load.ts";
import type { RunEvent } from "./run.ts";

/** A number for each kind of task. */
export type ByKind = Readonly<Record<TaskKind, number>>;

/** Where a sweep stands, kept up to date by the events of its run. */
export interface Tally {
  onEvent(event: RunEvent): void;
  /** What is to be done. Cells not yet trained count with the fields they will have; tasks given up do not. */
  left(): Load;
  /** What is stored. */
  stored(): Load;
  /** Tasks given up. */
  dead(): ByKind;
  cells(): Readonly<Record<CellStatus, number>>;
}

/** @param state what was stored when the run began. */
export function tallyOf(plan: Plan, state: StoreState): Tally {
  let left = remainingLoad(plan, state);
  let stored = storedLoad(plan, state);
  const dead = { train: 0, field: 0, analysis: 0 };
  for (const task of state.dead) dead[kindOf(task)]++;
  const cells = { ...cellCounts(plan, state) };
  const note = (status: CellStatus) => {
    cells.missing--;
    cells[status]++;
  };
  const dropFields = (cell: Cell) => {
    const { work, ...counts } = remainingOf(plan, state, untouched(cell));
    left = plus(left, { ...counts, trainings: 0, work: { ...work, train: 0 } }, -1);
  };
  return {
    onEvent(event) {
      if (event.kind === "trained") {
        note(event.record.status);
        if (event.record.status === "diverged") dropFields(event.cell);
      }
      if (event.kind !== "stored" && event.kind !== "dead") return;
      const { kind, cell } = event.job;
      const load = loadOf(event.job);
      left = plus(left, load, -1);
      if (event.kind === "stored") stored = plus(stored, load, 1);
      else dead[kind]++;
      if (event.kind === "dead" && kind === "train") {
        note("dead");
        dropFields(cell);
      }
    },
    left: () => left,
    stored: () => stored,
    dead: () => dead,
    cells: () => cells,
  };
}

/** A task's kind, which its id begins with. */
function kindOf(task: string): TaskKind {
  return TASK_KINDS.find((kind) => task.startsWith(`${kind}-`))!;
}
