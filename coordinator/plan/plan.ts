import { canonicalJson } from "../../shared/canonical-json.ts";
import type { CellPhysics, FieldGrid, Snapshot } from "../../shared/cell.ts";
import { dataSet, makeDataSet } from "../../shared/datasets/registry.ts";
import { cellId, digestOf, fieldId } from "../../shared/identity.ts";
import type { FieldTask, TrainTask } from "../../shared/messages.ts";
import { MESSAGE_VERSION } from "../../shared/messages.ts";
import type { NetworkShape } from "../../shared/numerics/network.ts";
import { fieldWork, trainingWork } from "../../shared/work.ts";
import type { LatticePoint } from "../spec/enumerate.ts";
import { combinations } from "../spec/enumerate.ts";
import type { Sweep } from "../spec/sweep.ts";
import { tileSide } from "./tile-side.ts";

/** One network to train, and where it stands in the lattice. */
export interface Cell {
  readonly id: string;
  readonly physics: CellPhysics;
  readonly point: LatticePoint;
  /** Its place when the axes are walked in order, from 0: the order of tables. */
  readonly position: number;
}

export interface FieldPlan {
  readonly id: string;
  readonly grid: FieldGrid;
  /** Tile side as asked for; `auto` chooses by the cost of each network's points. */
  readonly tile: number | "auto";
  /** The most work that `auto` puts into a tile. */
  readonly tileWork: number;
}

/** All that a sweep is to compute. Pure: the same sweep, engine and tile work give the same plan. */
export interface Plan {
  /** Names the sweep in messages: follows from what it computes, not from its name or folder. */
  readonly sweep: string;
  readonly engine: string;
  readonly samples: { readonly train: number; readonly test: number };
  /** In the order in which they are worked on. */
  readonly cells: readonly Cell[];
  /** null: trainings only. */
  readonly field: FieldPlan | null;
  readonly snapshots: readonly Snapshot[];
}

/** How a sweep's tasks are cut, where that is not the spec's business. */
export interface PlanOptions {
  /** The most work that tile size `auto` puts into a tile. */
  readonly tileWork?: number;
}

/** Some seconds of the reference engine. */
const DEFAULT_TILE_WORK = 2e9;

export function planSweep(
  sweep: Sweep,
  engine: string,
  { tileWork = DEFAULT_TILE_WORK }: PlanOptions = {},
): Plan {
  const { name, options } = sweep.data;
  const { inputs, outputs } = dataSet(name);
  const { train, test, digest } = makeDataSet(name, options);
  const data = { name, options, digest };
  const { training, thresholdVariance } = sweep;
  const networks = memo(({ hidden }: LatticePoint): NetworkShape => {
    return { inputs, hidden, outputs, ...sweep.network };
  });
  const initialisations = memo(({ weightVariance }: LatticePoint) => {
    return { weightVariance, thresholdVariance };
  });
  const cells: Cell[] = [];
  for (const point of combinations(sweep)) {
    const { hidden, weightVariance, seed } = point;
    const network = networks(hidden, point);
    const initialisation = initialisations(weightVariance, point);
    const physics = { data, network, initialisation, training, seed, engine };
    cells.push({ id: cellId(physics), physics, point, position: cells.length });
  }
  refuseCollisions(cells);
  const samples = { train: train.samples, test: test.samples };
  return {
    sweep: sweepIdOf(sweep, engine),
    engine,
    samples,
    cells: inOrder(cells, samples),
    field: fieldPlanOf(sweep, tileWork),
    snapshots: training.snapshots,
  };
}

/** The tile side of a cell's fields that are begun anew; one that is stored keeps its own. */
export function plannedTile({ grid, tile, tileWork }: FieldPlan, network: NetworkShape): number {
  return tile === "auto" ? tileSide(network, grid.points, tileWork) : tile;
}

export function trainTask(plan: Plan, { id, physics }: Cell): TrainTask {
  const work = trainingWork(physics.network, physics.training.epochs, plan.samples);
  return {
    version: MESSAGE_VERSION,
    id: `train-${id}`,
    sweep: plan.sweep,
    engine: plan.engine,
    cell: id,
    work,
    kind: "train",
    physics,
  };
}

/** The task for the tile at (`row`, `column`), counted in tiles. */
export function fieldTask(
  plan: Plan,
  { id, physics }: Cell,
  field: { snapshot: Snapshot; weights: string; side: number },
  { row, column }: { row: number; column: number },
): FieldTask {
  if (plan.field === null) throw new TypeError("the plan has no fields");
  const { grid } = plan.field;
  const { snapshot, weights, side } = field;
  const columns = Math.min(side, grid.points - column * side);
  const rows = Math.min(side, grid.points - row * side);
  return {
    version: MESSAGE_VERSION,
    id: `field-${id}-${snapshot}-${plan.field.id}-${side}-${row}-${column}`,
    sweep: plan.sweep,
    engine: plan.engine,
    cell: id,
    work: fieldWork(physics.network, columns * rows),
    kind: "field",
    network: physics.network,
    snapshot,
    weights,
    grid,
    tile: { column: column * side, row: row * side, columns, rows },
  };
}

function fieldPlanOf({ field }: Sweep, tileWork: number): FieldPlan | null {
  if (field === null) return null;
  const { region, points, layers, tile } = field;
  const grid = { region, points, layers };
  return { id: fieldId(grid), grid, tile, tileWork };
}

/**
 * Coarse picture first: every (N, L, σ_w²) of one seed before the next seed. Within a seed the small
 * networks come first, so that something can be seen soon; within the last seed the costly ones do,
 * so that the sweep does not end waiting for one long training.
 */
function inOrder(cells: readonly Cell[], samples: Plan["samples"]): Cell[] {
  const works = new Map<NetworkShape, number>();
  for (const { physics } of cells) {
    const { network, training } = physics;
    if (!works.has(network)) works.set(network, trainingWork(network, training.epochs, samples));
  }
  const workOf = ({ physics }: Cell) => works.get(physics.network)!;
  const rounds = new Map<number, Cell[]>();
  for (const cell of cells) {
    const round = rounds.get(cell.physics.seed);
    if (round === undefined) rounds.set(cell.physics.seed, [cell]);
    else round.push(cell);
  }
  return [...rounds.values()].flatMap((round, i) => {
    const sign = i === rounds.size - 1 ? -1 : 1;
    return round.sort((a, b) => sign * (workOf(a) - workOf(b)));
  });
}

function refuseCollisions(cells: readonly Cell[]): void {
  const ids = new Set(cells.map(({ id }) => id));
  if (ids.size !== cells.length) {
    throw new RangeError("two cells of the sweep have one id: 64 bits of SHA-256 collided");
  }
}

function sweepIdOf(sweep: Sweep, engine: string): string {
  const { name: _, ...content } = sweep;
  return digestOf(Buffer.from(canonicalJson({ ...content, engine }))).slice(7, 23);
}

/** Makes a value once for each key, so that cells share their equal parts. */
function memo<T>(make: (point: LatticePoint) => T): (key: unknown, point: LatticePoint) => T {
  const made = new Map<unknown, T>();
  return (key, point) => {
    let value = made.get(key);
    if (value === undefined) {
      value = make(point);
      made.set(key, value);
    }
    return value;
  };
}
