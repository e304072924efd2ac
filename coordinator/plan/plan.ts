import type { Analysis } from "../../shared/analyses/analysis.ts";
import type { AnalysisRef } from "../../shared/analyses/registry.ts";
import { canonicalJson } from "../../shared/canonical-json.ts";
import type { CellPhysics, DataSetRef, FieldGrid, Snapshot } from "../../shared/cell.ts";
import type { TargetKind } from "../../shared/datasets/data-set.ts";
import { dataSet, makeDataSet, shapeOf } from "../../shared/datasets/registry.ts";
import { outputsFor } from "../../shared/datasets/targets.ts";
import { UsageError } from "../../shared/errors.ts";
import { cellId, digestOf, fieldId } from "../../shared/identity.ts";
import type { AnalysisTask, FieldTask, TrainTask } from "../../shared/messages.ts";
import { MESSAGE_VERSION } from "../../shared/messages.ts";
import type { NetworkShape } from "../../shared/numerics/network.ts";
import { gridWork, trainingWork } from "../../shared/work.ts";
import type { LatticePoint } from "../spec/enumerate.ts";
import { combinations } from "../spec/enumerate.ts";
import { WEIGHTS } from "../spec/parameters.ts";
import type { Sections } from "../spec/resolve-sections.ts";
import type { ParameterValues, Sweep } from "../spec/sweep.ts";
import { variantOf } from "../spec/variants.ts";
import { analysisPlans } from "./analysis-plans.ts";
import { tileSide } from "./tile-side.ts";

/** One network to train, and its place in the lattice. */
export interface Cell {
  readonly id: string;
  readonly physics: CellPhysics;
  readonly point: LatticePoint;
  /** Of its data set. */
  readonly samples: Samples;
  readonly targets: TargetKind["kind"];
  /** Its place when the axes are walked in order, from 0: the order of tables. */
  readonly position: number;
}

/** How many samples a data set has. */
export interface Samples {
  readonly train: number;
  readonly test: number;
}

export interface FieldPlan {
  readonly id: string;
  readonly grid: FieldGrid;
  /** Tile side as asked for; `auto` chooses by the cost of each network's points. */
  readonly tile: number | "auto";
  /** The most work that `auto` puts into a tile. */
  readonly tileWork: number;
}

export interface AnalysisPlan {
  /** Names it among those of a sweep. */
  readonly id: string;
  /** Names it among those of a cell and snapshot; of one that reads several cells, it depends on them. */
  idOf(cell: string): string;
  /** The cells that differ in their seed alone, in the order of the axes, if it reads them. */
  members(cell: string): readonly Cell[];
  /** The analysis that must be stored of all members. */
  readonly base: AnalysisPlan | null;
  /** Before the names of its columns: its own name, with the options that are not as by default. */
  readonly label: string;
  readonly ref: AnalysisRef;
  readonly definition: Analysis;
}

/** Everything that a sweep is to compute. Pure: the same sweep, engine and tile work give the same plan. */
export interface Plan {
  /** Names the sweep in messages: follows from what it computes, not from its name or folder. */
  readonly sweep: string;
  readonly engine: string;
  /** Digest of what its data set is made of, if that is read from files. */
  readonly content: string | null;
  /** Digests of the weights that it imports, each once. */
  readonly networks: readonly string[];
  /** In the order in which they are worked on. */
  readonly cells: readonly Cell[];
  /** null: trainings only. */
  readonly field: FieldPlan | null;
  readonly snapshots: readonly Snapshot[];
  /** Behind those whose results they read. */
  readonly analyses: readonly AnalysisPlan[];
}

/** How a sweep's tasks are divided, as far as the spec does not decide that. */
export interface PlanOptions {
  /** The most work that tile size `auto` puts into a tile. */
  readonly tileWork?: number;
}

/** A few seconds of the reference engine. */
const DEFAULT_TILE_WORK = 2e9;

export function planSweep(
  sweep: Sweep,
  engine: string,
  { tileWork = DEFAULT_TILE_WORK }: PlanOptions = {},
): Plan {
  const cells = inOrder(cellsOf(sweep, engine));
  const field = fieldPlanOf(sweep, tileWork);
  return {
    sweep: sweepIdOf(sweep, engine),
    engine,
    content: sweep.content?.digest ?? null,
    networks: [...new Set(Object.values(sweep.networks ?? {}).map(({ digest }) => digest))],
    cells,
    field,
    snapshots: sweep.training.snapshots,
    analyses: analysisPlans(sweep, { field, cells }),
  };
}

/** The cells in the order of the lattice. Those with equal parts of their physics share them. */
function cellsOf(sweep: Sweep, engine: string): Cell[] {
  const variants = memo((parameters: ParameterValues) =>
    variantParts(variantOf(sweep, parameters), sweep.content),
  );
  const importedWeights = memo((weights: string) => ({ weights }));
  const cells: Cell[] = [];
  for (const point of combinations(sweep)) {
    const { hidden, weightVariance, seed } = point;
    const imported = sweep.networks?.[String(point.parameters[WEIGHTS])];
    const variant = variants(point.parameters);
    const { data, samples, targets, training, networks, initialisations } = variant;
    const network = networks(hidden);
    const initialisation = imported
      ? importedWeights(imported.digest)
      : initialisations(weightVariance);
    const physics = { data, network, initialisation, training, seed, engine };
    const position = cells.length;
    cells.push({ id: cellId(physics), physics, point, samples, targets, position });
  }
  refuseCollisions(cells);
  return cells;
}

/** What the cells of one variant of a sweep share. */
function variantParts(
  { network, thresholdVariance, data, training }: Sections,
  content: Sweep["content"],
) {
  const { name, options } = data;
  const shape = shapeOf(data, content?.facts ?? null);
  if (shape === null) throw new UsageError(`the files of data set ${name} have not been read`);
  const { inputs, targets } = shape;
  const outputs = outputsFor(targets, training.loss);
  return {
    ...samplesOf({ name, options }, content),
    targets: targets.kind,
    training,
    networks: memo((hidden: readonly number[]): NetworkShape => {
      return { inputs, hidden, outputs, ...network };
    }),
    initialisations: memo((weightVariance: number) => ({ weightVariance, thresholdVariance })),
  };
}

/** A data set as a cell's physics name it, and how many samples it has. */
function samplesOf(
  { name, options }: Sweep["data"],
  content: Sweep["content"],
): { readonly data: DataSetRef; readonly samples: Samples } {
  const definition = dataSet(name);
  if (definition.source !== undefined) {
    const { digest, facts } = content!;
    return { data: { name, options, digest }, samples: definition.counts(options, facts) };
  }
  const { train, test, digest } = makeDataSet(name, options);
  return {
    data: { name, options, digest },
    samples: { train: train.samples, test: test.samples },
  };
}

/** The tile side of a cell's new fields; a stored field keeps its own. */
export function plannedTile({ grid, tile, tileWork }: FieldPlan, network: NetworkShape): number {
  return tile === "auto" ? tileSide(network, grid, tileWork) : tile;
}

export function trainTask(plan: Plan, { id, physics, samples }: Cell): TrainTask {
  const work = trainingWork(physics.network, physics.training.epochs, samples);
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

interface PlacedTile {
  readonly snapshot: Snapshot;
  /** Digest of the weights. */
  readonly weights: string;
  /** Points along a side. */
  readonly side: number;
  /** Counted in tiles. */
  readonly row: number;
  readonly column: number;
}

export function fieldTask(
  plan: Plan,
  { id, physics }: Cell,
  { snapshot, weights, side, row, column }: PlacedTile,
): FieldTask {
  if (plan.field === null) throw new TypeError("the plan has no fields");
  const { grid } = plan.field;
  const columns = Math.min(side, grid.points - column * side);
  const rows = Math.min(side, grid.points - row * side);
  return {
    version: MESSAGE_VERSION,
    id: `field-${id}-${snapshot}-${plan.field.id}-${side}-${row}-${column}`,
    sweep: plan.sweep,
    engine: plan.engine,
    cell: id,
    work: gridWork(physics.network, grid, columns * rows),
    kind: "field",
    network: physics.network,
    snapshot,
    weights,
    grid,
    ...(grid.plane === undefined ? {} : { data: physics.data }),
    tile: { column: column * side, row: row * side, columns, rows },
  };
}

/** The task that finds out what an analysis says of a cell at a snapshot. @param weights digest of the weights. */
export function analysisTask(
  plan: Plan,
  { id, physics, samples, targets }: Cell,
  { analysis, snapshot, weights }: PlacedAnalysis,
): AnalysisTask {
  const { network, data, training } = physics;
  const { definition, ref } = analysis;
  const points = (plan.field?.grid.points ?? 0) ** 2;
  return {
    version: MESSAGE_VERSION,
    id: `analysis-${id}-${snapshot}-${analysis.idOf(id)}`,
    sweep: plan.sweep,
    engine: plan.engine,
    cell: id,
    work: definition.work({ network, samples, points }, ref.options),
    kind: "analysis",
    analysis: ref,
    network,
    snapshot,
    weights,
    data,
    targets,
    loss: training.loss,
  };
}

export interface PlacedAnalysis {
  readonly analysis: AnalysisPlan;
  readonly snapshot: Snapshot;
  /** Digest of the weights. */
  readonly weights: string;
}

function fieldPlanOf({ field }: Sweep, tileWork: number): FieldPlan | null {
  if (field === null) return null;
  const { tile, ...grid } = field;
  return { id: fieldId(grid), grid, tile, tileWork };
}

/**
 * Coarse picture first: every (N, L, σ_w²) of one seed before the next seed. Within a seed the small
 * networks come first, so that something can be seen soon; within the last seed the costly ones do,
 * so that the sweep does not end waiting for one long training.
 */
function inOrder(cells: readonly Cell[]): Cell[] {
  const works = new Map<NetworkShape, number>(); // each variant has its own networks
  const workOf = ({ physics, samples }: Cell) => {
    const { network, training } = physics;
    let work = works.get(network);
    if (work === undefined) {
      work = trainingWork(network, training.epochs, samples);
      works.set(network, work);
    }
    return work;
  };
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

/** @throws UsageError if two cells are one network: values of an axis that rounding makes equal. */
function refuseCollisions(cells: readonly Cell[]): void {
  const byId = new Map<string, Cell>();
  for (const cell of cells) {
    const other = byId.get(cell.id);
    byId.set(cell.id, cell);
    if (other === undefined) continue;
    if (canonicalJson(cell.physics) !== canonicalJson(other.physics)) {
      throw new RangeError("two cells of the sweep have one id: 64 bits of SHA-256 collided");
    }
    const places = [other, cell].map(({ point: { index } }) => JSON.stringify(index)).join(" and ");
    throw new UsageError(
      `expected every combination of axis values to be a different network, found one twice: at the places ${places} of the axes, counted from 0; remove one of the values`,
    );
  }
}

function sweepIdOf(sweep: Sweep, engine: string): string {
  const { name: _, content: read, data, networks, ...rest } = sweep;
  const content = read === undefined ? {} : { content: read.digest }; // wherever it is read from
  const { name, options } = data;
  const imported = networks === undefined ? {} : { networks: digestsOf(networks) };
  const computed = { ...rest, ...content, ...imported, data: { name, options }, engine };
  return digestOf(Buffer.from(canonicalJson(computed))).slice(7, 23);
}

function digestsOf(networks: NonNullable<Sweep["networks"]>): Record<string, string> {
  const entries = Object.entries(networks);
  return Object.fromEntries(entries.map(([file, { digest }]) => [file, digest]));
}

/** Makes a value once for each key, so that cells share their equal parts. */
function memo<Key, T>(make: (key: Key) => T): (key: Key) => T {
  const made = new Map<Key, T>();
  return (key) => {
    let value = made.get(key);
    if (value === undefined) {
      value = make(key);
      made.set(key, value);
    }
    return value;
  };
}
