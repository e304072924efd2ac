/** Finds out which parts of a plan are already stored, and what is damaged. Only reads. */
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Snapshot } from "../../shared/cell.ts";
import { digestOf } from "../../shared/identity.ts";
import type { Cell, FieldPlan, Plan } from "../plan/plan.ts";
import { analysisTask, plannedTile } from "../plan/plan.ts";
import type { CellRecord } from "./cell-record.ts";
import { readCellRecord } from "./cell-record.ts";
import { entriesIn, isFolder, kindAt, namesIn, readOrNull, sizeOf } from "./entries.ts";
import type { FieldFolder } from "./field-links.ts";
import { areLinks, linksHold } from "./field-links.ts";
import { sharedMetadata } from "./field-metadata.ts";
import type { FieldDescription } from "./field-zarr.ts";
import { tilesPerSide } from "./field-zarr.ts";
import { MOST_TEXT_BYTES } from "./files.ts";
import type { KnownCells, StoreIndex } from "./index-file.ts";
import { knownCells, noteCell, readIndex } from "./index-file.ts";
import {
  CELLS,
  cellFolder,
  cellJson,
  contentFile,
  DEAD,
  deadFile,
  fieldFolder,
  INDEX,
  weightsFile,
} from "./layout.ts";
import type { AnalysisState } from "./scan-analyses.ts";
import { expectedAnalyses, scanAnalyses } from "./scan-analyses.ts";
import {
  isGridWhole,
  isGroupWhole,
  NOTHING,
  storedTile,
  UNKNOWN,
  wantingMetadata,
} from "./scan-metadata.ts";
import { findTiles } from "./scan-tiles.ts";
import { unsealJson } from "./sealed-json.ts";
import { isAsStored } from "./stored-file.ts";
import { tileTask } from "./tile-task.ts";
import { turns } from "./turns.ts";
import type { Content } from "./write-files.ts";

export interface ScanOptions {
  readonly directory: string;
  /** Also read every file and check its checksum; otherwise only existence and length are checked. */
  readonly thorough: boolean;
  /**
   * What looks as the index says is not checked again, and cells that are found whole are noted in it. By default a
   * thorough scan has none and reads everything, and any other takes the index as it finds it.
   */
  readonly index?: StoreIndex;
  /** Ends the scan of a large store, which may take minutes; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** How a part of the store is scanned. */
interface Scan extends Pick<ScanOptions, "directory" | "thorough"> {
  /** Damaged paths are added here. */
  readonly damaged: string[];
}

/** What holds for all cells. */
interface WholeScan extends Scan {
  /** Whether links from fields lead into the directory. */
  readonly canHold: boolean;
  /** Keys of grids whose files have been checked, and whether they are whole. */
  readonly grids: Map<string, boolean>;
  /** The same by their tile side and depth. */
  readonly kinds: Map<string, boolean>;
  readonly index: StoreIndex | null;
  readonly known: KnownCells | null;
}

/** What a store holds of a plan. */
export interface StoreState {
  /** One for each of the plan's cells, in its order. */
  readonly cells: readonly CellState[];
  /** Ids of the plan's tasks that were given up. */
  readonly dead: ReadonlySet<string>;
  /** What exists and is not as it should be; relative paths, with a slash at the end for folders. */
  readonly damaged: readonly string[];
}

export interface CellState {
  readonly cell: Cell;
  /** null: not trained, or its files are damaged. */
  readonly record: CellRecord | null;
  /** One for each snapshot; none while the cell is not trained, or if it diverged. */
  readonly fields: readonly FieldState[];
  /** One for each snapshot and analysis; none while the cell is not trained, or if it diverged. */
  readonly analyses: readonly AnalysisState[];
}

/** The state of a cell of which nothing is stored. */
export function untouched(cell: Cell): CellState {
  return { cell, record: null, fields: [], analyses: [] };
}

export interface FieldState {
  readonly snapshot: Snapshot;
  /** Path from the store's directory. */
  readonly folder: string;
  readonly description: FieldDescription;
  /** For each tile, row by row: 1 if it is stored. */
  readonly tiles: Uint8Array;
  /** Tiles still to compute: neither stored nor given up. */
  readonly missing: number;
  /** Metadata files that are missing or not as they should be, with their correct content. */
  readonly metadata: ReadonlyMap<string, Content>;
  /** There is a folder, but for other weights: it must be removed. */
  readonly isStale: boolean;
}

export async function scanStore(plan: Plan, options: ScanOptions): Promise<StoreState> {
  const { directory, thorough } = options;
  const present = entriesIn(join(directory, CELLS)); // which may be a link
  const damaged: string[] = [];
  const found = options.index ?? readIndex(directory, plan);
  if (thorough && found.isDamaged) damaged.push(INDEX);
  const index = thorough && options.index === undefined ? null : found;
  const turn = turns(options.signal);
  const known = index === null ? null : knownCells({ directory, index }, plan);
  try {
    const scan = { ...wholeScan({ directory, thorough, damaged }), index, known };
    if (present === null) damaged.push(`${CELLS}/`);
    if (thorough) damaged.push(...damagedContents(directory, plan));
    const cells: CellState[] = [];
    const dead = deadLetters(plan, scan);
    for (const cell of plan.cells) {
      const isPresent = isFolder(present?.get(cell.id), cellFolder(cell.id), damaged);
      if (isPresent && turn.isDue()) await turn.take(); // files are read synchronously
      const found = isPresent ? await scanCell(plan, cell, scan) : untouched(cell);
      cells.push(dead.size === 0 ? found : withoutDead(plan, found, dead));
    }
    return { cells, dead, damaged };
  } finally {
    await known?.stop();
  }
}

/** The copies of what the data set is made of and of imported networks that are there and not whole. */
function damagedContents(directory: string, { content, networks }: Plan): string[] {
  const digests = [...(content === null ? [] : [content]), ...networks];
  return digests.flatMap((digest) => {
    const path = contentFile(digest);
    const found = readOrNull(join(directory, path));
    return found === null || digestOf(found) === digest ? [] : [path];
  });
}

async function scanCell(plan: Plan, cell: Cell, scan: WholeScan): Promise<CellState> {
  const { directory, index, damaged } = scan;
  const known = scan.known?.at(cell) ?? null;
  if (known !== null && (await areGridsWhole(known.fields, scan))) {
    const analyses = storedAnalyses(plan, known.record);
    return { cell, record: known.record, fields: known.fields.map(completeField), analyses };
  }
  const thorough = scan.thorough || (index !== null && isWorthReading(index, plan, cell));
  const before = damaged.length;
  const record = readCell(cell, { ...scan, thorough });
  const fields = record === null ? [] : await fieldsOf(plan, record, { ...scan, thorough });
  const analyses = record === null ? [] : scanAnalyses(plan, record, { ...scan, thorough });
  if (index !== null && record !== null && thorough && damaged.length === before) {
    const isPlanned = isDeepStrictEqual(record.physics, cell.physics);
    const isAnalysed = analyses.every((analysis) => analysis.record !== null);
    if (isPlanned && isAnalysed && (await areWhole(fields, directory))) {
      noteCell({ directory, index }, cell, { record, fields });
    }
  }
  return { cell, record, fields, analyses };
}

/** Of a cell that the index knows: it has all that its plan asks for. */
function storedAnalyses(plan: Plan, record: CellRecord): CellState["analyses"] {
  return expectedAnalyses(plan, record).map(({ found, ...rest }) => {
    return { ...rest, record: found, isMissing: false };
  });
}

/** Whether a cell that need not be read is, so that a later scan need not: if it is so small that this is quick. */
function isWorthReading({ settledBefore }: StoreIndex, plan: Plan, { physics }: Cell): boolean {
  if (settledBefore === Number.NEGATIVE_INFINITY) return false;
  const { hidden } = physics.network;
  const weights = hidden.length * Math.max(...hidden) ** 2;
  const { layers = "last", points = 0 } = plan.field?.grid ?? {};
  const field = points ** 2 * (1 + 2 * (layers === "all" ? hidden.length : 1));
  return plan.snapshots.length * 4 * (weights + field) <= SMALL_CELL_BYTES;
}

const SMALL_CELL_BYTES = 2 ** 16;

/** Whether what fields share is as it should be; a scan that only looks at existence and length does not ask. */
async function areGridsWhole(fields: readonly FieldFolder[], scan: WholeScan): Promise<boolean> {
  if (!scan.thorough) return true;
  for (const { description } of fields) {
    const kind = `${description.tile} ${description.depth}`; // all have one grid
    let isWhole = scan.kinds.get(kind);
    if (isWhole === undefined) {
      isWhole = isGridWhole(scan.directory, await sharedMetadata(description), scan);
      scan.kinds.set(kind, isWhole);
    }
    if (!isWhole) return false;
  }
  return true;
}

/** Whether all tiles and metadata of fields that were read are there, with links to what they share. */
async function areWhole(fields: readonly FieldState[], directory: string): Promise<boolean> {
  for (const { folder, description, missing, metadata, isStale } of fields) {
    if (missing > 0 || metadata.size > 0 || isStale) return false;
    const { links } = await sharedMetadata(description);
    if (!areLinks(join(directory, folder), links)) return false;
  }
  return true;
}

function completeField({ folder, description }: FieldFolder): FieldState {
  const tiles = allOf(tilesPerSide(description) ** 2);
  const rest = { missing: 0, metadata: NOTHING, isStale: false };
  return { snapshot: description.snapshot, folder, description, tiles, ...rest };
}

/** The tiles of complete fields: one array for all of a size, in which nothing changes any more. */
function allOf(count: number): Uint8Array {
  let tiles = complete.get(count);
  if (tiles === undefined) {
    tiles = new Uint8Array(count).fill(1);
    complete.set(count, tiles);
  }
  return tiles;
}

const complete = new Map<number, Uint8Array>();

/** Tasks of this plan, not of another sweep in the directory, that have a dead letter. */
function deadLetters(plan: Plan, { directory, thorough, damaged }: Scan): Set<string> {
  const dead = new Set<string>();
  if (!isFolder(kindAt(join(directory, DEAD)), DEAD, damaged)) return dead;
  const names = namesIn(join(directory, DEAD));
  if (names.length === 0) return dead;
  const cells = new Set(plan.cells.map(({ id }) => id));
  for (const name of names) {
    const [, task, kind, cell, id] = DEAD_LETTER.exec(name) ?? [];
    if (task === undefined || !cells.has(cell!)) continue;
    if (kind === "field" && id !== plan.field?.id) continue;
    if (kind === "analysis" && !plan.analyses.some(({ idOf }) => idOf(cell!) === id)) continue;
    const file = join(directory, deadFile(task));
    const isLetter = (sizeOf(file) ?? Number.NaN) <= MOST_TEXT_BYTES;
    if (isLetter) dead.add(task); // a damaged one shows which task it was, but not why
    const isWhole = !thorough || unsealJson(String(readOrNull(file, MOST_TEXT_BYTES))) !== null;
    if (!isLetter || !isWhole) damaged.push(deadFile(task));
  }
  return dead;
}

/** The name of a dead letter: its task, the task's kind, cell and the id of the field or analysis. */
const DEAD_LETTER =
  /^((train|field|analysis)-([0-9a-f]{16})(?:-\w+-([0-9a-f]{8})(?:-\d+-\d+-\d+)?)?)\.json$/;

/** Tiles and analyses that were given up are not missing. */
function withoutDead(plan: Plan, state: CellState, dead: ReadonlySet<string>): CellState {
  const { cell } = state;
  const fields = state.fields.map((field) => {
    if (field.missing === 0) return field;
    let missing = 0;
    field.tiles.forEach((isStored, index) => {
      const task = tileTask(plan, cell, { description: field.description, index });
      if (isStored === 0 && !dead.has(task.id)) missing++;
    });
    return { ...field, missing };
  });
  const analyses = state.analyses.map((analysis) => {
    const isMissing = analysis.isMissing && !dead.has(analysisTask(plan, cell, analysis).id);
    return { ...analysis, isMissing };
  });
  return { ...state, fields, analyses };
}

/** The state as it is when all tasks that were given up are to be done again. */
export function withoutLetters(state: StoreState): StoreState {
  if (state.dead.size === 0) return state;
  const cells = state.cells.map((cell): CellState => {
    const fields = cell.fields.map((field) => ({ ...field, missing: zerosIn(field.tiles) }));
    const analyses = cell.analyses.map((one) => ({ ...one, isMissing: one.record === null }));
    return { ...cell, fields, analyses };
  });
  return { ...state, cells, dead: new Set() };
}

function zerosIn(tiles: Uint8Array): number {
  return tiles.reduce((count, isStored) => count + 1 - isStored, 0);
}

/** The state of a trained cell's fields. */
export async function scanFields(
  plan: Plan,
  record: CellRecord,
  scan: Scan,
): Promise<FieldState[]> {
  return await fieldsOf(plan, record, wholeScan(scan));
}

function wholeScan(scan: Scan): WholeScan {
  return {
    ...scan,
    canHold: linksHold(scan.directory),
    grids: new Map(),
    kinds: new Map(),
    index: null,
    known: null,
  };
}

async function fieldsOf(plan: Plan, record: CellRecord, scan: WholeScan): Promise<FieldState[]> {
  if (plan.field === null || record.status === "diverged") return [];
  const fields: FieldState[] = [];
  for (const { snapshot, digest } of record.weights) {
    fields.push(await scanField(plan.field, { record, snapshot, weights: digest }, scan));
  }
  return fields;
}

/** @returns null if the cell must be trained (again). */
function readCell({ id }: Cell, { directory, thorough, damaged }: Scan): CellRecord | null {
  const text = readOrNull(join(directory, cellJson(id)), MOST_TEXT_BYTES);
  if (text === null) return null;
  const record = readCellRecord(text.toString());
  if (record === null || record.cell !== id) {
    damaged.push(cellJson(id));
    return null;
  }
  const broken = record.weights
    .map(({ snapshot, ...stored }) => ({ path: weightsFile(id, snapshot), ...stored }))
    .filter(({ path, ...stored }) => !isAsStored(join(directory, path), stored, { thorough }));
  damaged.push(...broken.map(({ path }) => path));
  return broken.length === 0 ? record : null;
}

interface SnapshotOf {
  readonly record: CellRecord;
  readonly snapshot: Snapshot;
  /** Digest of its weights. */
  readonly weights: string;
}

async function scanField(
  plan: FieldPlan,
  { record, snapshot, weights }: SnapshotOf,
  scan: WholeScan,
): Promise<FieldState> {
  const { directory, thorough, damaged } = scan;
  const { id, grid } = plan;
  const { network } = record.physics;
  const folder = fieldFolder(record.cell, snapshot, id);
  const path = join(directory, folder);
  const isThere = isFolder(kindAt(path), folder, damaged);
  const depth = network.hidden.length;
  const tile = plannedTile(plan, network);
  let description = { cell: record.cell, snapshot, weights, grid, depth, tile };
  let shared = await sharedMetadata(description);
  const isWhole = isThere && isGroupWhole(path, { description, shared });
  const stored = isThere && !isWhole ? storedTile(directory, folder) : UNKNOWN;
  if (stored.tile !== null && stored.tile !== tile) {
    description = { ...description, tile: stored.tile };
    shared = await sharedMetadata(description);
  }
  const isStale = stored.weights !== null && stored.weights !== weights;
  let tiles = new Uint8Array(tilesPerSide(description) ** 2);
  let metadata: FieldState["metadata"] = new Map();
  if (isThere && !isStale) {
    const ofFolder: string[] = [];
    const found = findTiles(path, description, { thorough, damaged: ofFolder });
    tiles = found.tiles;
    const { hasChunks } = found;
    const field = { folder, description, shared, hasChunks, isWhole };
    if (thorough) metadata = wantingMetadata(field, { ...scan, ofFolder });
    damaged.push(...ofFolder.map((name) => `${folder}/${name}`));
  }
  const missing = zerosIn(tiles);
  return { snapshot, folder, description, tiles, missing, metadata, isStale };
}
