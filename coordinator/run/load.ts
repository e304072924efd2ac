import type { NetworkShape } from "../../shared/numerics/network.ts";
import { fieldWork, trainingWork } from "../../shared/work.ts";
import type { Load, Work } from "../plan/cost.ts";
import type { Plan } from "../plan/plan.ts";
import { plannedTile, trainTask } from "../plan/plan.ts";
import type { CellState, FieldState, StoreState } from "../store/scan.ts";
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
  const cells = plan.cells.map((cell) => ({ cell, record: null, fields: [] }));
  return remainingLoad(plan, { cells, dead: new Set(), damaged: [] });
}

/** What is stored of a plan. */
export function storedLoad({ cells }: StoreState): Load {
  return sum(cells.map(storedOf));
}

/** What is not stored yet of one cell. */
export function remainingOf(
  plan: Plan,
  { dead }: StoreState,
  { cell, record, fields }: CellState,
): Load {
  if (record !== null) {
    return sum(fields.map((field) => tilesOf(field, field.missing, record.physics.network)));
  }
  if (dead.size > 0 && dead.has(trainTask(plan, cell).id)) return NOTHING;
  const { network, training } = cell.physics;
  const train = trainingWork(network, training.epochs, cell.samples);
  if (plan.field === null) return { ...NOTHING, trainings: 1, work: { train, field: 0 } };
  const { points } = plan.field.grid;
  const side = Math.ceil(points / plannedTile(plan.field, network));
  const count = plan.snapshots.length;
  const field = count * fieldWork(network, points ** 2);
  return {
    trainings: 1,
    tiles: count * side ** 2,
    points: count * points ** 2,
    work: { train, field },
  };
}

/** One task. */
export function loadOf({ kind, task }: Job): Load {
  const work = { train: 0, field: 0, [kind]: task.work };
  if (kind === "train") return { trainings: 1, tiles: 0, points: 0, work };
  const { columns, rows } = task.tile;
  return { trainings: 0, tiles: 1, points: columns * rows, work };
}

const NOTHING: Load = { trainings: 0, tiles: 0, points: 0, work: { train: 0, field: 0 } };

function storedOf({ cell, record, fields }: CellState): Load {
  if (record === null) return NOTHING;
  const { network, training } = cell.physics;
  const train = trainingWork(network, training.epochs, cell.samples);
  return sum([
    { ...NOTHING, trainings: 1, work: { train, field: 0 } },
    ...fields.map((field) => tilesOf(field, storedTiles(field), network)),
  ]);
}

function storedTiles({ tiles }: FieldState): number {
  return tiles.reduce((count, isStored) => count + isStored, 0);
}

function tilesOf({ description, tiles }: FieldState, count: number, network: NetworkShape): Load {
  const points = (description.grid.points ** 2 * count) / tiles.length;
  const work = { train: 0, field: fieldWork(network, points) };
  return { trainings: 0, tiles: count, points, work };
}

/** `load` with `times` of another; points and work do not fall below 0 by rounding. */
export function plus(load: Load, other: Load, times: 1 | -1): Load {
  const work = (kind: keyof Work) => Math.max(0, load.work[kind] + times * other.work[kind]);
  return {
    trainings: load.trainings + times * other.trainings,
    tiles: load.tiles + times * other.tiles,
    points: Math.max(0, load.points + times * other.points),
    work: { train: work("train"), field: work("field") },
  };
}

function sum(loads: readonly Load[]): Load {
  const total = { trainings: 0, tiles: 0, points: 0, work: { train: 0, field: 0 } };
  for (const { trainings, tiles, points, work } of loads) {
    total.trainings += trainings;
    total.tiles += tiles;
    total.points += points;
    total.work.train += work.train;
    total.work.field += work.field;
  }
  return total;
}
