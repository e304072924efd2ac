import { appendFile, mkdir, readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { DeadLetter, FieldResult, FieldTask, TrainResult } from "../../shared/messages.ts";
import { deadLetterSchema } from "../../shared/messages.ts";
import { VERSION } from "../../shared/version.ts";
import type { Cell } from "../plan/plan.ts";
import type { Sweep } from "../spec/sweep.ts";
import type { CellRecord, FieldRecord } from "./cell-record.ts";
import {
  readCellRecord,
  refuseOtherFormat,
  storedHistory,
  writeCellRecord,
} from "./cell-record.ts";
import type { Files } from "./field-zarr.ts";
import { fieldMetadata, tileFiles } from "./field-zarr.ts";
import {
  isErrno,
  MOST_TEXT_BYTES,
  readIfThere,
  readTextIfThere,
  storeError,
  TEMPORARY_FOLDERS,
  writeFiles,
} from "./files.ts";
import { refuseForeign } from "./foreign-files.ts";
import {
  CELLS,
  cellJson,
  DEAD,
  deadFile,
  FIGURES,
  isCellId,
  JOURNAL,
  SUMMARY_CSV,
  SUMMARY_JSON,
  SWEEP_JSON,
  SWEEP_YAML,
  weightsFile,
} from "./layout.ts";
import type { Lock, LockOptions } from "./lock.ts";
import { acquireLock } from "./lock.ts";
import { type Aside, type Way, wayInto } from "./put-aside.ts";
import type { FieldState } from "./scan.ts";
import { sealJson, unsealJson } from "./sealed-json.ts";
import { judgeSweepText } from "./sweep-text.ts";

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
  /** Stores a training: weights first, then the record with their digests. */
  putTraining(cell: Cell, result: TrainResult, blobs: Map<string, Uint8Array>): Promise<CellRecord>;
  /** Stores one tile's three chunks, and before a field's first tile its metadata. */
  putTile(field: FieldState, task: FieldTask, result: FieldResult): Promise<void>;
  /** Adds a complete field's statistics to its cell's record. */
  putFieldRecord(record: CellRecord, field: FieldRecord): Promise<CellRecord>;
  putDeadLetter(letter: DeadLetter): Promise<void>;
  dropDeadLetter(task: string): Promise<void>;
  /** Writes files at the top of the store: each atomically, and all at nearly the same time. */
  putFiles(files: Iterable<readonly [path: string, content: string]>): Promise<void>;
  /** Writes the metadata of a field that a scan found missing or damaged; removes a stale field. */
  repair(field: FieldState): Promise<void>;
  /** Adds a line to the journal, which is for people: the program never reads it. */
  journal(entry: Record<string, unknown>): Promise<void>;
  /** Releases the directory. Idempotent. */
  close(): Promise<void>;
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
    await mkdir(directory, { recursive: true });
    await refuseForeign(directory);
    lock = await acquireLock(directory, { hasDoor: true, ...options });
    for (const path of OF_SWEEP) await way.clear(path);
    await clearLitter(directory);
  } catch (error) {
    await lock?.release();
    throw storeError("write", directory, error);
  }
  return storeIn(directory, lock, way);
}

function storeIn(directory: string, lock: Lock, way: Way): Store {
  const described = new Set<string>(); // folders of fields whose metadata is stored
  const put = async (files: Iterable<readonly [string, Uint8Array | string]>) => {
    const all = [...files];
    for (const [path] of all) await way.clear(path);
    await writeFiles(directory, all);
  };
  const putRecord = async (record: CellRecord) => {
    await put([[cellJson(record.cell), writeCellRecord(record)]]);
    return record;
  };

  return {
    directory,
    lost: lock.lost,
    aside: way.aside,

    async putAside(paths) {
      for (const path of paths) await way.clear(path);
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
      const kept = isEdited ? await way.putAside(SWEEP_YAML, ".edited") : null;
      // The record first: if a kill comes in between, the text can be restored from it.
      await put([json, [SWEEP_YAML, source]]);
      return kept;
    },

    async putTraining({ id, physics }, result, blobs) {
      const { status, reason, epochs, weights, provenance } = result;
      const history = storedHistory(result.history);
      await put(
        weights.map(({ snapshot, digest }) => [weightsFile(id, snapshot), blobs.get(digest)!]),
      );
      const header = { format: 1, cell: id, physics, status, reason, epochs } as const;
      return await putRecord({ ...header, history, weights, provenance, fields: [] });
    },

    async putTile({ description, folder }, task, result) {
      if (!described.has(folder)) {
        await put(inFolder(folder, await fieldMetadata(description)));
        described.add(folder);
      }
      await put(inFolder(folder, tileFiles(description, task.tile, result)));
    },

    async putFieldRecord(record, field) {
      const others = record.fields.filter(
        (other) => other.snapshot !== field.snapshot || other.field !== field.field,
      );
      return await putRecord({ ...record, fields: [...others, field].sort(byName) });
    },

    async putDeadLetter(letter) {
      await put([[deadFile(letter.task), sealJson({ ...letter })]]);
    },

    async dropDeadLetter(task) {
      await way.clear(deadFile(task));
      await rm(join(directory, deadFile(task)), { force: true });
    },

    async putFiles(files) {
      await put(files);
    },

    async repair({ folder, metadata, isStale }) {
      if (isStale) await rm(join(directory, folder), { recursive: true, force: true });
      else await put(inFolder(folder, metadata));
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

/** A cell's record; null if it is missing or damaged. */
export async function readRecord(directory: string, cell: string): Promise<CellRecord | null> {
  const text = await readTextIfThere(join(directory, cellJson(cell)));
  return text === null ? null : readCellRecord(text);
}

/** The records of every cell in a directory, of this sweep or another; damaged ones left out. */
export async function* readRecords(directory: string): AsyncGenerator<CellRecord> {
  for (const cell of (await namesOf(join(directory, CELLS))).filter(isCellId)) {
    const record = await readRecord(directory, cell);
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
  ...[SWEEP_JSON, SWEEP_YAML, SUMMARY_JSON, SUMMARY_CSV, JOURNAL],
  ...[CELLS, DEAD, FIGURES].map((folder) => `${folder}/`),
];

function* inFolder(folder: string, files: Files): Generator<[string, Uint8Array]> {
  for (const [name, bytes] of files) yield [`${folder}/${name}`, bytes];
}

function byName(a: FieldRecord, b: FieldRecord): number {
  const name = ({ field, snapshot }: FieldRecord) => `${field} ${snapshot}`;
  return name(a) < name(b) ? -1 : 1;
}
