import type { RunningTask } from "../shared/transport.ts";
import { fieldWork, trainingWork } from "../shared/work.ts";
import type { CostModel, Work } from "./cost.ts";
import type { Plan } from "./plan.ts";
import { plannedTile, trainTask } from "./plan.ts";
import type { RunEvent } from "./run-sweep.ts";
import type { CellState, StoreState } from "./store/scan.ts";

/** How many tasks and how much work; of a whole sweep, or of what of it is left. */
export interface Load {
  readonly trainings: number;
  readonly tiles: number;
  readonly work: Work;
}

/**
 * What of a plan the store lacks. Cells not yet trained count with the fields they will have; tasks
 * given up do not count.
 */
export function remainingLoad(plan: Plan, state: StoreState): Load {
  const load = { trainings: 0, tiles: 0, work: { train: 0, field: 0 } };
  for (const cell of state.cells) {
    const { trainings, tiles, work } = remainingOf(plan, state, cell);
    load.trainings += trainings;
    load.tiles += tiles;
    load.work.train += work.train;
    load.work.field += work.field;
  }
  return load;
}

/** What there is to do for a plan of which nothing is stored. */
export function wholeLoad(plan: Plan): Load {
  const cells = plan.cells.map((cell) => ({ cell, record: null, fields: [] }));
  return remainingLoad(plan, { cells, dead: new Set(), damaged: [] });
}

export interface ProgressReport {
  readonly tasksDone: number;
  readonly tasksTotal: number;
  /** Share of the work done, 0…1, running tasks included. */
  readonly fraction: number;
  readonly trained: number;
  readonly diverged: number;
  readonly dead: number;
  /** Results stored a second, since the start. */
  readonly tasksPerSecond: number;
  readonly etaSeconds: number;
}

/** Follows a run by its events. */
export interface Progress {
  onEvent(event: RunEvent): void;
  report(running: readonly RunningTask[], elapsedSeconds: number): ProgressReport;
}

/** @param threads how many tasks are worked on at a time, as things are now. */
export function followRun(
  plan: Plan,
  state: StoreState,
  model: CostModel,
  threads: () => number,
): Progress {
  const load = remainingLoad(plan, state);
  let left = { train: load.work.train, field: load.work.field };
  const whole = model.seconds(load.work);
  let tasksTotal = load.trainings + load.tiles;
  let tasksDone = 0;
  let trained = 0;
  let diverged = 0;
  let dead = 0;
  let shown = 0; // rates that are corrected must not turn progress back
  const take = (kind: "train" | "field", work: number) => {
    left = { ...left, [kind]: Math.max(0, left[kind] - work) };
  };
  const drop = (cell: CellState) => {
    const { tiles, work } = remainingOf(plan, state, { ...cell, record: null });
    tasksTotal -= tiles;
    take("field", work.field);
  };
  return {
    onEvent(event) {
      if (event.kind === "trained") {
        if (event.record.status === "trained") trained++;
        else {
          diverged++;
          drop({ cell: event.cell, record: null, fields: [] });
        }
        return;
      }
      if (event.kind === "late") return;
      const { kind, task, cell } = event.job;
      take(kind, task.work);
      if (event.kind === "stored") {
        tasksDone++;
        model.finished(kind, task.work, event.seconds);
      } else {
        dead++;
        tasksTotal--;
        if (kind === "train") drop({ cell, record: null, fields: [] });
      }
    },
    report(running, elapsedSeconds) {
      let rest = left;
      let longest = 0;
      for (const { task, progress } of running) {
        rest = { ...rest, [task.kind]: Math.max(0, rest[task.kind] - progress * task.work) };
        const alone = { train: 0, field: 0, [task.kind]: (1 - progress) * task.work };
        longest = Math.max(longest, model.seconds(alone));
      }
      const seconds = model.seconds(rest);
      shown = Math.max(shown, Math.min(1, 1 - seconds / model.seconds(load.work)));
      return {
        tasksDone,
        tasksTotal,
        fraction: whole === 0 ? 1 : shown,
        trained,
        diverged,
        dead,
        tasksPerSecond: tasksDone / Math.max(elapsedSeconds, 1e-3),
        etaSeconds: Math.max(seconds / threads(), longest),
      };
    },
  };
}

function remainingOf(plan: Plan, { dead }: StoreState, { cell, record, fields }: CellState): Load {
  if (record !== null) {
    const tiles = fields.reduce((sum, { missing }) => sum + missing, 0);
    const field = fields.reduce((sum, { missing, description, tiles }) => {
      const points = description.grid.points ** 2;
      return sum + fieldWork(record.physics.network, (points * missing) / tiles.length);
    }, 0);
    return { trainings: 0, tiles, work: { train: 0, field } };
  }
  if (dead.size > 0 && dead.has(trainTask(plan, cell).id)) return NOTHING;
  const { network, training } = cell.physics;
  const train = trainingWork(network, training.epochs, plan.samples);
  if (plan.field === null) return { trainings: 1, tiles: 0, work: { train, field: 0 } };
  const { points } = plan.field.grid;
  const side = Math.ceil(points / plannedTile(plan.field, network));
  const count = plan.snapshots.length;
  const field = count * fieldWork(network, points ** 2);
  return { trainings: 1, tiles: count * side ** 2, work: { train, field } };
}

const NOTHING: Load = { trainings: 0, tiles: 0, work: { train: 0, field: 0 } };
