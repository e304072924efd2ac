/** Stores many results together, so that one fsync of a folder serves all that is new in it. */
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { analysisOf } from "../../../shared/analyses/registry.ts";
import { digestOf, fieldId } from "../../../shared/identity.ts";
import type { TaskResult } from "../../../shared/messages.ts";
import { analysisFiles } from "../analysis-zarr.ts";
import type { AnalysisRecord, CellRecord, FieldRecord } from "../cell-record.ts";
import { storedColumns, storedHistory, writeCellRecord } from "../cell-record.ts";
import { canLink, gridFiles, newFieldFiles } from "../field-links.ts";
import { sharedMetadata } from "../field-metadata.ts";
import { statisticsOf } from "../field-statistics.ts";
import type { FieldDescription, Files } from "../field-zarr.ts";
import { readFieldArray, tileChunks } from "../field-zarr.ts";
import { storeError } from "../files.ts";
import { analysisFolder, cellJson, JOURNAL, weightsFile } from "../layout.ts";
import type { Place } from "../put-files.ts";
import { cleared, putFiles } from "../put-files.ts";
import { readRecord } from "../read-record.ts";
import type { NewFile } from "../write-files.ts";
import { createWriter } from "../write-files.ts";
import type { GrowingFields } from "./growing-fields.ts";
import { addToField, takeField } from "./growing-fields.ts";
import type {
  AnalysisToStore,
  FieldToClose,
  Stored,
  StoreRequest,
  TileToStore,
  TrainingToStore,
} from "./requests.ts";

/** What the storing thread knows of the directory. */
export interface StoringState extends Place {
  readonly safe: Set<string>;
  /** Folders of fields whose metadata is there. */
  readonly described: Set<string>;
  /** Keys of grids whose files are there. */
  readonly grids: Set<string>;
  readonly growing: GrowingFields;
  /** null: not tried yet. */
  hasLinks: boolean | null;
}

/** A batch on its way to the disk. */
interface Batch {
  /** Written first: trainings with their records, tiles. */
  readonly data: NewFile[];
  /** Records with more statistics, written when the data has its names; of a cell with several changes the last. */
  readonly records: Map<string, CellRecord>;
  /** The files of each analysis, by their path in its group. */
  readonly groups: Map<AnalysisToStore, Files>;
  /** Lines of the journal, by the file with which a result is stored. */
  readonly lines: Map<string, string>;
}

/** The most folders that are remembered. */
const MOST_DESCRIBED = 10_000;

/**
 * Stores what is asked for, in order. When it returns, all of it survives a power cut.
 *
 * @returns what came of each request.
 * @throws StoreError when something cannot be written: then some of the results may be stored, each whole.
 */
export async function storeBatch(
  state: StoringState,
  requests: readonly StoreRequest[],
): Promise<Stored[]> {
  const batch: Batch = { data: [], records: new Map(), groups: new Map(), lines: new Map() };
  const stored: Stored[] = requests.map(() => null);
  for (const [i, request] of requests.entries()) {
    if (request.kind === "training") stored[i] = addTraining(batch, request);
    if (request.kind === "tile") await addTile(state, batch, request);
    if (request.kind === "analysis") addAnalysis(batch, request);
  }
  const journal = openJournal(state.directory);
  try {
    const onNamed = (path: string) => {
      journal.append(batch.lines.get(path));
      batch.lines.delete(path); // a record may be written again
    };
    const writer = createWriter(state.directory, { safe: state.safe, onNamed });
    await writer.write(cleared(state, batch.data));
    for (const [i, request] of requests.entries()) {
      const isComplete = request.kind === "close" || (request.kind === "tile" && request.closes);
      if (isComplete) stored[i] = await closeField(state, batch, request);
      if (request.kind === "analysis") stored[i] = noteAnalysis(state, batch, request);
    }
    const records = [...batch.records.values()];
    const changed = records.map((record): NewFile => {
      return [cellJson(record.cell), writeCellRecord(record)];
    });
    await writer.write(cleared(state, changed));
    await writer.finish();
    return stored;
  } finally {
    journal.close();
  }
}

function addTraining(
  { data, lines }: Batch,
  { cell, physics, result, blobs }: TrainingToStore,
): CellRecord {
  const { status, reason, epochs, weights, provenance } = result;
  for (const { snapshot, digest } of weights) {
    const bytes = blobs.get(digest)!;
    if (digestOf(bytes) !== digest) throw new Error(`blob ${digest} has other content`);
    data.push([weightsFile(cell, snapshot), bytes]);
  }
  const history = storedHistory(result.history);
  const header = { format: 1, cell, physics, status, reason, epochs } as const;
  const record: CellRecord = { ...header, history, weights, provenance, fields: [] };
  data.push([cellJson(cell), writeCellRecord(record)]);
  lines.set(cellJson(cell), journalLine(result));
  return record;
}

async function addTile(
  state: StoringState,
  { data, lines }: Batch,
  request: TileToStore,
): Promise<void> {
  const { field, tile, result } = request;
  const { folder, description } = field;
  if (!state.described.has(folder)) {
    state.hasLinks ??= canLink(state.directory);
    const hasLinks = state.hasLinks;
    if (hasLinks) await describeGrid(state, description);
    data.push(...(await newFieldFiles(field, { hasLinks })));
    if (state.described.size >= MOST_DESCRIBED) state.described.clear();
    state.described.add(folder);
  }
  let last = "";
  for (const [name, make] of tileChunks(description, tile, result)) {
    last = `${folder}/${name}`;
    data.push([last, make]);
  }
  lines.set(last, journalLine(result));
  addToField(state.growing, request);
}

/**
 * Before the first link that leads there. Files that are there already are written again, once a run: a run that was
 * killed may not have made them safe.
 */
async function describeGrid(state: StoringState, description: FieldDescription): Promise<void> {
  const shared = await sharedMetadata(description);
  if (state.grids.has(shared.key)) return;
  await putFiles(state, gridFiles(shared));
  state.grids.add(shared.key);
}

/** @returns the statistics of a complete field, which its cell's record gets; null if there is no record. */
async function closeField(
  { directory, growing }: StoringState,
  { records }: Batch,
  request: TileToStore | FieldToClose,
): Promise<FieldRecord | null> {
  const { folder, description } = request.field;
  const { cell, snapshot, grid } = description;
  const record = records.get(cell) ?? readRecord(directory, cell);
  if (record === null) return null;
  const atHand = request.kind === "tile" ? takeField(growing, request) : null;
  const path = join(directory, folder);
  const arrays = atHand ?? {
    lambda1: await readFieldArray(path, "lambda1"),
    output: await readFieldArray(path, "output"),
    grid,
  };
  const statistics = await statisticsOf(arrays, { directory, record, snapshot });
  const field = { snapshot, field: fieldId(grid), statistics };
  records.set(cell, withField(record, field));
  return field;
}

function addAnalysis({ data, groups }: Batch, request: AnalysisToStore): void {
  const { cell, snapshot, weights, analysis } = request.task;
  const folder = analysisFolder(cell, { name: analysis.name, snapshot, id: request.id });
  const { options } = analysis;
  const files = analysisFiles(
    analysisOf(analysis),
    { cell, snapshot, weights, options },
    request.result,
  );
  groups.set(request, files);
  for (const [path, bytes] of files) data.push([`${folder}/${path}`, bytes]);
}

/** @returns what the cell's record says of the analysis from now on; null if there is no record. */
function noteAnalysis(
  { directory }: StoringState,
  { records, groups, lines }: Batch,
  request: AnalysisToStore,
): AnalysisRecord | null {
  const { task, id, result } = request;
  const { cell, snapshot, weights } = task;
  const record = records.get(cell) ?? readRecord(directory, cell);
  if (record === null) return null;
  const columns = storedColumns(result.columns);
  const files = [...groups.get(request)!].map(([path, bytes]) => {
    return { path, bytes: bytes.length, digest: digestOf(bytes) };
  });
  const found = { ...task.analysis, snapshot, id, weights, columns, files };
  records.set(cell, withAnalysis(record, found));
  lines.set(cellJson(cell), (lines.get(cellJson(cell)) ?? "") + journalLine(result));
  return found;
}

function withAnalysis(record: CellRecord, analysis: AnalysisRecord): CellRecord {
  const { analyses = [] } = record;
  const others = analyses.filter(
    (other) => other.snapshot !== analysis.snapshot || other.id !== analysis.id,
  );
  const name = ({ id, snapshot }: AnalysisRecord) => `${id} ${snapshot}`;
  const inOrder = [...others, analysis].sort((a, b) => (name(a) < name(b) ? -1 : 1));
  return { ...record, analyses: inOrder };
}

function withField(record: CellRecord, field: FieldRecord): CellRecord {
  const others = record.fields.filter(
    (other) => other.snapshot !== field.snapshot || other.field !== field.field,
  );
  return { ...record, fields: [...others, field].sort(byName) };
}

function byName(a: FieldRecord, b: FieldRecord): number {
  const name = ({ field, snapshot }: FieldRecord) => `${field} ${snapshot}`;
  return name(a) < name(b) ? -1 : 1;
}

/** The journal, open for appending. A line is written by itself: a kill loses the line of one result at most. */
function openJournal(directory: string) {
  const path = join(directory, JOURNAL);
  const tried = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw storeError("write", path, error);
    }
  };
  const descriptor = tried(() => openSync(path, "a"));
  return {
    append(line: string | undefined) {
      if (line !== undefined) tried(() => writeSync(descriptor, line));
    },
    close: () => closeSync(descriptor),
  };
}

function journalLine({ task, provenance }: TaskResult) {
  const { worker, attempt, seconds } = provenance;
  const entry = { time: new Date().toISOString(), event: "stored", task, worker, attempt, seconds };
  return `${JSON.stringify(entry)}\n`;
}
