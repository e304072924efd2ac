import type { NetworkShape } from "../../shared/numerics/network.ts";
import { gridWork, trainingWork } from "../../shared/work.ts";
import type { Load, Work } from "../plan/cost.ts";
import { NO_WORK } from "../plan/cost.ts";
import type { Cell, Plan } from "../plan/plan.ts";
import { analysisTask, plannedTile, trainTask } from "../plan/plan.ts";
import type { CellState, FieldState, StoreState } from "../store/scan.ts";
import { untouched } from "../store/scan.ts";
import type { Job } from "./backlog.ts";

/**
 * What is not stored yet of a plan. Cells not yet trained count with the fields they will have; tasks
 * given up do not count.
 */
export function remainingLoad(plan: Plan, state: StoreState): Load {
  return sum(state.cells.map((cell) => remainingOf(plan, state, cell)));
}

/** What there is to do for a plan of which nothing is stored. */
export function wholeLoad(plan: Plan): Load {
  return remainingLoad(plan, { cells: plan.cells.map(untouched), dead: new Set(), damaged: [] });
}

/** What is stored of a plan. */
export function storedLoad(plan: Plan, { cells }: StoreState): Load {
  return sum(cells.map((cell) => storedOf(plan, cell)));
}

/** What is not stored yet of one cell. */
export function remainingOf(
  plan: Plan,
  { dead }: StoreState,
  { cell, record, fields, analyses }: CellState,
): Load {
  if (record !== null) {
    const missing = analyses.filter(({ isMissing }) => isMissing);
    return sum([
      ...fields.map((field) => tilesOf(field, field.missing, record.physics.network)),
      ...missing.map((state) => analysisLoad(analysisTask(plan, cell, state).work)),
    ]);
  }
  if (dead.size > 0 && dead.has(trainTask(plan, cell).id)) return NOTHING;
  const { network, training } = cell.physics;
  const train = trainingWork(network, training.epochs, cell.samples);
  const trained = { ...NOTHING, trainings: 1, work: { ...NO_WORK, train } };
  return sum([trained, fieldLoad(plan, network), ...analysesLoads(plan, cell)]);
}

/** Of the fields of a cell that is not trained. */
function fieldLoad({ field, snapshots }: Plan, network: NetworkShape): Load {
  if (field === null) return NOTHING;
  const { points } = field.grid;
  const side = Math.ceil(points / plannedTile(field, network));
  const count = snapshots.length;
  const work = { ...NO_WORK, field: count * gridWork(network, field.grid, points ** 2) };
  return { ...NOTHING, tiles: count * side ** 2, points: count * points ** 2, work };
}

/** Of the analyses of a cell that is not trained. */
function analysesLoads(plan: Plan, cell: Cell): Load[] {
  return plan.snapshots.flatMap((snapshot) =>
    plan.analyses.map((analysis) => {
      const { work } = analysisTask(plan, cell, { analysis, snapshot, weights: "" });
      return analysisLoad(work);
    }),
  );
}

function analysisLoad(analysis: number): Load {
  return { ...NOTHING, analyses: 1, work: { ...NO_WORK, analysis } };
}

/** One task. */
export function loadOf({ kind, task }: Job): Load {
  const work = { ...NO_WORK, [kind]: task.work };
  if (kind === "train") return { ...NOTHING, trainings: 1, work };
  if (kind === "analysis") return { ...NOTHING, analyses: 1, work };
  const { columns, rows } = task.tile;
  return { ...NOTHING, tiles: 1, points: columns * rows, work };
}

const NOTHING: Load = { trainings: 0, tiles: 0, analyses: 0, points: 0, work: NO_WORK };

function storedOf(plan: Plan, { cell, record, fields, analyses }: CellState): Load {
  if (record === null) return NOTHING;
  const { network, training } = cell.physics;
  const train = trainingWork(network, training.epochs, cell.samples);
  return sum([
    { ...NOTHING, trainings: 1, work: { ...NO_WORK, train } },
    ...fields.map((field) => tilesOf(field, storedTiles(field), network)),
    ...analyses
      .filter((state) => state.record !== null)
      .map((state) => analysisLoad(analysisTask(plan, cell, state).work)),
  ]);
}

function storedTiles({ tiles }: FieldState): number {
  return tiles.reduce((count, isStored) => count + isStored, 0);
}

function tilesOf({ description, tiles }: FieldState, count: number, network: NetworkShape): Load {
  const points = (description.grid.points ** 2 * count) / tiles.length;
  const work = { ...NO_WORK, field: gridWork(network, description.grid, points) };
  return { ...NOTHING, tiles: count, points, work };
}

/** `load` with `times` of another; points and work do not fall below 0 by rounding. */
export function plus(load: Load, other: Load, times: 1 | -1): Load {
  const work = (kind: keyof Work) => Math.max(0, load.work[kind] + times * other.work[kind]);
  return {
    trainings: load.trainings + times * other.trainings,
    tiles: load.tiles + times * other.tiles,
    analyses: load.analyses + times * other.analyses,
    points: Math.max(0, load.points + times * other.points),
    work: { train: work("train"), field: work("field"), analysis: work("analysis") },
  };
}

function sum(loads: readonly Load[]): Load {
  const total = { ...NOTHING, work: { ...NO_WORK } };
  for (const { trainings, tiles, analyses, points, work } of loads) {
    total.trainings += trainings;
    total.tiles += tiles;
    total.analyses += analyses;
    total.points += points;
    total.work.train += work.train;
    total.work.field += work.field;
    total.work.analysis += work.analysis;
  }
  return total;
}
