/** Finds out which parts of a plan are already stored, and what is damaged. Only reads. */
import { join } from "node:path";
import { setImmediate as loopTurn } from "node:timers/promises";
import type { Snapshot } from "../../shared/cell.ts";
import { digestOf } from "../../shared/identity.ts";
import type { Cell, FieldPlan, Plan } from "../plan/plan.ts";
import { plannedTile } from "../plan/plan.ts";
import type { CellRecord } from "./cell-record.ts";
import { readCellRecord } from "./cell-record.ts";
import { entriesIn, type Kind, kindAt, namesIn, readOrNull, sizeOf } from "./entries.ts";
import type { FieldDescription, Files } from "./field-zarr.ts";
import {
  chunkBytes,
  chunkName,
  FIELD_ARRAYS,
  fieldMetadata,
  readAttributes,
  tilesPerSide,
} from "./field-zarr.ts";
import { MOST_TEXT_BYTES } from "./files.ts";
import { CELLS, cellFolder, cellJson, DEAD, deadFile, fieldFolder, weightsFile } from "./layout.ts";
import { unsealJson } from "./sealed-json.ts";
import { tileTask } from "./tile-task.ts";
import { isChunkIntact } from "./zarr-crc32c.ts";

export interface ScanOptions {
  readonly directory: string;
  /** Also read every file and check its checksum; otherwise only existence and length are checked. */
  readonly thorough: boolean;
  /** Ends the scan of a large store, which may take minutes; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** How a part of the store is scanned. */
interface Scan extends Pick<ScanOptions, "directory" | "thorough"> {
  /** Damaged paths are added here. */
  readonly damaged: string[];
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
  readonly metadata: Files;
  /** There is a folder, but for other weights: it must be removed. */
  readonly isStale: boolean;
}

export async function scanStore(plan: Plan, options: ScanOptions): Promise<StoreState> {
  const { directory, thorough } = options;
  const present = entriesIn(join(directory, CELLS)); // which may be a link
  const damaged: string[] = [];
  const scan = { directory, thorough, damaged };
  if (present === null) damaged.push(`${CELLS}/`);
  const cells: CellState[] = [];
  const dead = deadLetters(plan, scan);
  let pause = Number.NEGATIVE_INFINITY; // the first turn comes at once
  for (const cell of plan.cells) {
    const isPresent = isFolder(present?.get(cell.id), cellFolder(cell.id), damaged);
    if (isPresent && performance.now() - pause > LONGEST_TURN_MS) {
      await loopTurn(); // files are read synchronously: without this no signal would be handled
      options.signal?.throwIfAborted();
      pause = performance.now();
    }
    const record = isPresent ? readCell(cell, scan) : null;
    const fields = record === null ? [] : await scanFields(plan, record, scan);
    const idOf = (description: FieldDescription, index: number) =>
      tileTask(plan, cell, { description, index }).id;
    const isDead = (description: FieldDescription, i: number) => dead.has(idOf(description, i));
    const living = dead.size === 0 ? fields : fields.map((field) => withoutDead(field, isDead));
    cells.push({ cell, record, fields: living });
  }
  return { cells, dead, damaged };
}

const LONGEST_TURN_MS = 50;

/** Whether something is a folder of ours; anything else at its path is damage. */
function isFolder(kind: Kind | undefined, path: string, damaged: string[]): boolean {
  if (kind !== undefined && kind !== "folder" && kind !== "absent") damaged.push(`${path}/`);
  return kind === "folder";
}

/** Tasks of this plan, not of another sweep in the directory, that have a dead letter. */
function deadLetters(plan: Plan, { directory, thorough, damaged }: Scan): Set<string> {
  const dead = new Set<string>();
  if (!isFolder(kindAt(join(directory, DEAD)), DEAD, damaged)) return dead;
  const names = namesIn(join(directory, DEAD));
  if (names.length === 0) return dead;
  const cells = new Set(plan.cells.map(({ id }) => id));
  for (const name of names) {
    const [, task, kind, cell, field] = DEAD_LETTER.exec(name) ?? [];
    if (task === undefined || !cells.has(cell!)) continue;
    if (kind === "field" && field !== plan.field?.id) continue;
    const file = join(directory, deadFile(task));
    const isLetter = (sizeOf(file) ?? Number.NaN) <= MOST_TEXT_BYTES;
    if (isLetter) dead.add(task); // a damaged one shows which task it was, but not why
    const isWhole = !thorough || unsealJson(String(readOrNull(file, MOST_TEXT_BYTES))) !== null;
    if (!isLetter || !isWhole) damaged.push(deadFile(task));
  }
  return dead;
}

/** The name of a dead letter: its task, the task's kind, cell and, of a tile, the field's grid. */
const DEAD_LETTER = /^((train|field)-([0-9a-f]{16})(?:-\w+-([0-9a-f]{8})-\d+-\d+-\d+)?)\.json$/;

/** Tiles that were given up are not missing. */
function withoutDead(
  field: FieldState,
  isDead: (description: FieldDescription, tile: number) => boolean,
): FieldState {
  if (field.missing === 0) return field;
  let missing = 0;
  field.tiles.forEach((isStored, i) => {
    if (isStored === 0 && !isDead(field.description, i)) missing++;
  });
  return { ...field, missing };
}

/** The state of a trained cell's fields. */
export async function scanFields(
  plan: Plan,
  record: CellRecord,
  scan: Scan,
): Promise<FieldState[]> {
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
    .map(({ snapshot, bytes, digest }) => ({ path: weightsFile(id, snapshot), bytes, digest }))
    .filter(({ path, bytes, digest }) => {
      const file = join(directory, path);
      if (sizeOf(file) !== bytes) return true;
      return thorough && digestOf(readOrNull(file) ?? new Uint8Array()) !== digest;
    });
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
  { directory, thorough, damaged }: Scan,
): Promise<FieldState> {
  const { id, grid } = plan;
  const { network } = record.physics;
  const folder = fieldFolder(record.cell, snapshot, id);
  const path = join(directory, folder);
  const isThere = isFolder(kindAt(path), folder, damaged);
  const stored = isThere ? storedTile(path) : UNKNOWN;
  const tile = stored.tile ?? plannedTile(plan, network);
  const depth = network.hidden.length;
  const description = { cell: record.cell, snapshot, weights, grid, depth, tile };
  const isStale = stored.weights !== null && stored.weights !== weights;
  let tiles = new Uint8Array(tilesPerSide(description) ** 2);
  let metadata: Files = new Map();
  if (isThere && !isStale) {
    const ofFolder: string[] = [];
    const found = findTiles(path, description, { thorough, damaged: ofFolder });
    tiles = found.tiles;
    if (thorough) {
      const expected = await fieldMetadata(description);
      metadata = wantingMetadata(path, expected, { ...found, damaged: ofFolder });
    }
    damaged.push(...ofFolder.map((name) => `${folder}/${name}`));
  }
  const missing = tiles.length - tiles.reduce((sum, done) => sum + done, 0);
  return { snapshot, folder, description, tiles, missing, metadata, isStale };
}

/** Tile side and weights as recorded in a field's folder; null where they are not. */
interface StoredTile {
  readonly tile: number | null;
  readonly weights: string | null;
}

const UNKNOWN: StoredTile = { tile: null, weights: null };

/** Read from any of a field's metadata files that is intact. */
function storedTile(path: string): StoredTile {
  const group = readOrNull(join(path, "zarr.json"), MOST_TEXT_BYTES);
  const attributes = group === null ? null : readAttributes(group);
  if (attributes !== null) return attributes;
  for (const array of FIELD_ARRAYS) {
    if (kindAt(join(path, array)) !== "folder") continue;
    const side = chunkSide(readOrNull(join(path, array, "zarr.json"), MOST_TEXT_BYTES));
    if (side !== null) return { tile: side, weights: null };
  }
  return UNKNOWN;
}

function chunkSide(arrayJson: Buffer | null): number | null {
  try {
    const side = JSON.parse(String(arrayJson)).chunk_grid.configuration.chunk_shape.at(-1);
    return Number.isInteger(side) && side >= 1 ? side : null;
  } catch {
    return null; // a damaged file is an expected finding; the next one may be intact
  }
}

/** The metadata files of a field that are missing or not as they should be, with their correct content. */
function wantingMetadata(
  path: string,
  expected: Files,
  { hasChunks, damaged }: { hasChunks: boolean; damaged: string[] },
): Files {
  const wanting: Files = new Map();
  const notOurs = new Set<string>(); // names of folders where there is something else
  for (const folder of new Set([...expected.keys()].map(topOf))) {
    if (folder === "zarr.json" || !["file", "other"].includes(kindAt(join(path, folder)))) continue;
    notOurs.add(folder);
    if (!damaged.includes(`${folder}/`)) damaged.push(`${folder}/`);
  }
  for (const [name, bytes] of expected) {
    const isBelow = notOurs.has(topOf(name));
    const found = isBelow ? null : readOrNull(join(path, name), bytes.length);
    if (found?.equals(bytes)) continue;
    wanting.set(name, bytes);
    // Metadata is written before the first chunk: until then it may be incomplete after a kill.
    if (found !== null || (hasChunks && !isBelow)) damaged.push(name);
  }
  return wanting;
}

function topOf(path: string): string {
  return path.split("/", 1)[0]!;
}

/** The tiles whose three chunks are all stored and intact; and whether there is any chunk, intact or not. */
function findTiles(
  path: string,
  field: FieldDescription,
  { thorough, damaged }: Pick<Scan, "thorough" | "damaged">,
): { tiles: Uint8Array<ArrayBuffer>; hasChunks: boolean } {
  const side = tilesPerSide(field);
  const tiles = new Uint8Array(side ** 2).fill(1);
  let hasChunks = false;
  for (const array of FIELD_ARRAYS) {
    const folder = join(path, array);
    const isThere = isFolder(kindAt(folder), array, damaged);
    const names = new Set(isThere ? namesIn(folder) : []);
    const expected = chunkBytes(field, array);
    for (let i = 0; i < tiles.length; i++) {
      const name = chunkName(field, array, { row: Math.floor(i / side), column: i % side });
      if (!names.has(name)) {
        tiles[i] = 0;
        continue;
      }
      hasChunks = true;
      const file = join(folder, name);
      const isWhole = thorough
        ? isIntact(readOrNull(file, expected), expected)
        : sizeOf(file) === expected;
      if (isWhole) continue;
      tiles[i] = 0;
      damaged.push(`${array}/${name}`);
    }
  }
  return { tiles, hasChunks };
}

function isIntact(chunk: Buffer | null, expectedBytes: number): boolean {
  return chunk?.length === expectedBytes && isChunkIntact(chunk);
}
