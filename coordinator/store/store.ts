import { appendFile, readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type {
  AnalysisResult,
  AnalysisTask,
  DeadLetter,
  FieldResult,
  FieldTask,
  TrainResult,
} from "../../shared/messages.ts";
import { deadLetterSchema } from "../../shared/messages.ts";
import { VERSION } from "../../shared/version.ts";
import type { Cell } from "../plan/plan.ts";
import type { Sweep } from "../spec/sweep.ts";
import type { AnalysisRecord, CellRecord, FieldRecord } from "./cell-record.ts";
import { refuseOtherFormat } from "./cell-record.ts";
import {
  isErrno,
  MOST_TEXT_BYTES,
  readIfThere,
  readTextIfThere,
  storeError,
  TEMPORARY_FOLDERS,
} from "./files.ts";
import { refuseForeign } from "./foreign-files.ts";
import {
  CELLS,
  cellFolder,
  DATA,
  DEAD,
  deadFile,
  FIGURES,
  GRIDS,
  INDEX,
  isCellId,
  JOURNAL,
  SUMMARY_CSV,
  SUMMARY_JSON,
  SWEEP_JSON,
  SWEEP_YAML,
} from "./layout.ts";
import type { Lock, LockOptions } from "./lock.ts";
import { acquireLock } from "./lock.ts";
import { type Aside, type Way, wayInto } from "./put-aside.ts";
import { putFiles } from "./put-files.ts";
import { readRecord } from "./read-record.ts";
import { repairField } from "./repair-field.ts";
import type { FieldState } from "./scan.ts";
import { sealJson, unsealJson } from "./sealed-json.ts";
import type { Storing } from "./storing/client.ts";
import { startStoring } from "./storing/client.ts";
import { judgeSweepText } from "./sweep-text.ts";
import type { NewFile } from "./write-files.ts";
import { makeRoot, syncTree } from "./write-files.ts";

/** What `sweep.json` holds. */
export interface SweepRecord {
  readonly format: 1;
  /** Version of the program that wrote it. */
  readonly version: string;
  readonly created: string;
  /** The engine's id, chosen once. */
  readonly engine: string;
  readonly sweep: Sweep;
  /** `sweep.yaml` as given. */
  readonly source: string;
}

/** The directory that is the source of truth, opened for writing by the only coordinator that may write. */
export interface Store {
  readonly directory: string;
  /** Aborts if another coordinator has taken the directory over. */
  readonly lost: AbortSignal;
  /** What was in the way of our files and is not ours, with its new names. */
  readonly aside: readonly Aside[];
  /** Renames what is at these paths and not ours; as `Way.clear`. */
  putAside(paths: readonly string[]): Promise<void>;
  /**
   * Stores the sweep itself. A `sweep.yaml` that the user changed stays, or is renamed to make room for this one.
   * @returns its new name if it was renamed; else null.
   */
  putSweep(sweep: Sweep, options: { source: string; engine: string }): Promise<string | null>;
  /** Stores a training: weights first, then the record that vouches for them. */
  putTraining(cell: Cell, result: TrainResult, blobs: Map<string, Uint8Array>): Promise<CellRecord>;
  /**
   * Stores one tile's three chunks, and before the first of a field its metadata. The result's arrays may be moved to
   * another thread: they are not to be used any more.
   *
   * @returns the statistics that the cell's record has got, if the tile completes its field; else null.
   */
  putTile(field: FieldState, task: FieldTask, tile: TileResult): Promise<FieldRecord | null>;
  /** Notes the statistics of a field whose tiles are all stored in its cell's record; null if there is no record. */
  closeField(field: FieldState): Promise<FieldRecord | null>;
  /**
   * Stores an analysis: its arrays first, then its columns in the cell's record. @param id of it with its options.
   * @returns null if the cell has no record.
   */
  putAnalysis(
    task: AnalysisTask,
    id: string,
    result: AnalysisResult,
  ): Promise<AnalysisRecord | null>;
  /** Makes all that is stored of a cell survive a power cut. */
  secure(cell: string): Promise<void>;
  putDeadLetter(letter: DeadLetter): Promise<void>;
  dropDeadLetter(task: string): Promise<void>;
  /** Writes files at the top of the store: each atomically, and all at nearly the same time. */
  putFiles(files: Iterable<NewFile>): Promise<void>;
  /** Writes the metadata of a field that a scan found missing or damaged; removes a stale field. */
  repair(field: FieldState): Promise<void>;
  /** Adds a line to the journal, which is for people: the program never reads it. */
  journal(entry: Record<string, unknown>): Promise<void>;
  /** Releases the directory. Idempotent. */
  close(): Promise<void>;
}

/** A tile's result, and whether it is the last that its field waits for. */
export interface TileResult {
  readonly result: FieldResult;
  readonly completes: boolean;
}

/**
 * Opens a directory as a store, creating it if necessary.
 * @throws LockedError if another coordinator holds it, UsageError if it has other files, StoreError if it
 * cannot be written, or the signal's reason.
 */
export async function openStore(directory: string, options: LockOptions = {}): Promise<Store> {
  const way = wayInto(directory);
  let lock: Lock | undefined;
  try {
    await makeRoot(directory);
    await refuseForeign(directory);
    lock = await acquireLock(directory, { hasDoor: true, ...options });
    for (const path of OF_SWEEP) way.clear(path);
    await clearLitter(directory);
  } catch (error) {
    await lock?.release();
    throw storeError("write", directory, error);
  }
  return storeIn(directory, lock, way);
}

function storeIn(directory: string, lock: Lock, way: Way): Store {
  const put = (files: Iterable<NewFile>) => putFiles({ directory, way }, files);
  let thread: Storing | null = null; // many stores are opened and get no result
  const storing = () => (thread ??= startStoring(directory));

  return {
    directory,
    lost: lock.lost,
    aside: way.aside,

    async putAside(paths) {
      for (const path of paths) way.clear(path);
    },

    async putSweep(sweep, { source, engine }) {
      const stored = await readStoredSweep(directory);
      const created = stored?.record?.created ?? new Date().toISOString();
      const record: SweepRecord = { format: 1, version: VERSION, created, engine, sweep, source };
      const isStored = isDeepStrictEqual(stored?.record, record);
      if (isStored && stored?.damaged.length === 0) return null;
      const json = [SWEEP_JSON, sealJson({ ...record })] as const;
      const { changed = null, damaged = [] } = stored ?? {};
      const isEdited = changed !== null && changed !== source;
      if (isEdited && damaged.length === 0 && stored?.source === source) {
        await put([json]);
        return null;
      }
      const kept = isEdited ? way.putAside(SWEEP_YAML, ".edited") : null;
      // The record first: if a kill comes in between, the text can be restored from it.
      await put([json, [SWEEP_YAML, source]]);
      return kept;
    },

    async putTraining({ id: cell, physics }, result, blobs) {
      const request = { kind: "training", cell, physics, result, blobs } as const;
      return (await storing().put(request)) as CellRecord;
    },

    async putTile({ folder, description }, { tile }, { result, completes: closes }) {
      const field = { folder, description };
      const moved = movable(result);
      const request = { kind: "tile", field, tile, result: moved.result, closes } as const;
      return (await storing().put(request, moved.buffers)) as FieldRecord | null;
    },

    async closeField({ folder, description }) {
      const field = { folder, description };
      return (await storing().put({ kind: "close", field })) as FieldRecord | null;
    },

    async putAnalysis(task, id, result) {
      const request = { kind: "analysis", task, id, result } as const;
      return (await storing().put(request)) as AnalysisRecord | null;
    },

    async secure(cell) {
      await syncTree(directory, cellFolder(cell));
    },

    async putDeadLetter(letter) {
      await put([[deadFile(letter.task), sealJson({ ...letter })]]);
    },

    async dropDeadLetter(task) {
      way.clear(deadFile(task));
      await rm(join(directory, deadFile(task)), { force: true });
    },

    async putFiles(files) {
      await put(files);
    },

    async repair(field) {
      const { folder, isStale } = field;
      if (isStale) await rm(join(directory, folder), { recursive: true, force: true });
      else await repairField({ directory, way }, field);
    },

    async journal(entry) {
      const line = JSON.stringify({ time: new Date().toISOString(), ...entry });
      try {
        await appendFile(join(directory, JOURNAL), `${line}\n`);
      } catch (error) {
        throw storeError("write", join(directory, JOURNAL), error);
      }
    },

    async close() {
      await thread?.stop();
      // Leaves only cells in `cells`. Fails if the folder is in use: another process then holds the store.
      await rmdir(join(directory, TEMPORARY_FOLDERS[1])).catch(() => {});
      await lock.release();
    },
  };
}

export interface StoredSweep {
  /** null: `sweep.json` is damaged. */
  readonly record: SweepRecord | null;
  /** Text of the spec, from the file that still has it. */
  readonly source: string;
  readonly damaged: readonly string[];
  /** What `sweep.yaml` says now, if the user seems to have changed it since; else null. */
  readonly changed: string | null;
}

/**
 * The sweep that a directory holds; null if it holds none.
 * @throws UsageError if it is intact and of another format: nothing of it must be overwritten.
 */
export async function readStoredSweep(directory: string): Promise<StoredSweep | null> {
  const json = await readTextIfThere(join(directory, SWEEP_JSON));
  const found = await readIfThere(join(directory, SWEEP_YAML), MOST_TEXT_BYTES);
  if (json === null && found === null) return null;
  const content = json === null ? null : unsealJson(json);
  const yaml = found?.toString() ?? "";
  if (content === null) {
    return { record: null, source: yaml, damaged: [SWEEP_JSON], changed: null };
  }
  refuseOtherFormat(content);
  const record = content as unknown as SweepRecord;
  const { source } = record;
  const { isDamaged, isChanged } = judgeSweepText(found, source);
  return {
    record,
    source,
    damaged: isDamaged ? [SWEEP_YAML] : [],
    changed: isChanged ? yaml : null,
  };
}

/** The records of every cell in a directory, of this sweep or another; damaged ones left out. */
export async function* readRecords(directory: string): AsyncGenerator<CellRecord> {
  for (const cell of (await namesOf(join(directory, CELLS))).filter(isCellId)) {
    const record = readRecord(directory, cell);
    if (record !== null) yield record;
  }
}

/** Why tasks were given up; a damaged letter shows only which task. */
export async function readDeadLetters(
  directory: string,
  tasks: Iterable<string>,
): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for (const task of tasks) {
    const text = await readTextIfThere(join(directory, deadFile(task)));
    const letter = deadLetterSchema.safeParse(text === null ? null : unsealJson(text));
    const reason = { name: "StoreError", message: "the dead letter is damaged" };
    const unknown = { task, sweep: "", cell: "", kind: "", reason, worker: "", attempts: 1 };
    letters.push(letter.success ? letter.data : unknown);
  }
  return letters;
}

async function namesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    throw storeError("read", folder, error);
  }
}

/** Removes files that a killed run was writing. */
async function clearLitter(directory: string): Promise<void> {
  for (const folder of TEMPORARY_FOLDERS) {
    await rm(join(directory, folder), { recursive: true, force: true });
  }
}

/** What may be in the way at the top of a store; below `cells`, a scan finds it. */
const OF_SWEEP = [
  ...[SWEEP_JSON, SWEEP_YAML, SUMMARY_JSON, SUMMARY_CSV, INDEX, JOURNAL],
  ...[CELLS, GRIDS, DATA, DEAD, FIGURES].map((folder) => `${folder}/`),
];

/** The result with arrays that fill their buffers, so that these can be moved: of a message's bytes they are a part. */
function movable(result: FieldResult) {
  const arrays = Object.entries(result).filter(([, value]) => value instanceof Float32Array);
  const moved = arrays.map(([name, array]) => [name, whole(array as Float32Array)] as const);
  return {
    result: { ...result, ...Object.fromEntries(moved) } as FieldResult,
    buffers: [...new Set(moved.map(([, { buffer }]) => buffer))],
  };
}

function whole(array: Float32Array): Float32Array<ArrayBuffer> {
  const { buffer, byteLength } = array;
  const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
  return isWhole ? (array as Float32Array<ArrayBuffer>) : new Float32Array(array);
}
