/**
 * The index of a store: for each finished cell what a scan found in it, and what its files looked like to the file
 * system then. While they look the same, a scan need not read them again (docs/decisions/0019).
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { digestOf } from "../../shared/identity.ts";
import { VERSION } from "../../shared/version.ts";
import type { Cell, Plan } from "../plan/plan.ts";
import type { AnalysisRecord, CellRecord } from "./cell-record.ts";
import { isRecord } from "./cell-record.ts";
import { readOrNull } from "./entries.ts";
import type { FieldFolder } from "./field-links.ts";
import { linkedNow } from "./field-links.ts";
import { arraysOf, chunkPath, tilesPerSide } from "./field-zarr.ts";
import { analysisFolder, cellFolder, cellJson, fieldFolder, INDEX, weightsFile } from "./layout.ts";
import { lookAhead } from "./look-ahead.ts";
import { looksOf, sumText } from "./looks.ts";
import { expectedAnalyses } from "./scan-analyses.ts";
import { arrayFolders } from "./stored-file.ts";

/** The index of one plan's cells, while it is used and made again. */
export interface StoreIndex {
  /** As it was read: its bytes, and where each cell's line begins in them, by the cell's id. */
  readonly content: Buffer;
  readonly known: ReadonlyMap<string, number>;
  /** The lines that hold now, of cells that were looked at: new, or where they begin in `content`. */
  readonly lines: Map<string, string | number>;
  /**
   * By the file system's clock, in milliseconds since the epoch. What changed later may change again without looking
   * any different, so it gets no line.
   */
  readonly settledBefore: number;
  /** Which summary was written when the index was; null if none of all its cells. */
  readonly summary: IndexedSummary | null;
  /** Whether there is a file, and it is damaged or not ours. */
  readonly isDamaged: boolean;
}

export interface IndexedSummary {
  /** `Plan.sweep`. */
  readonly sweep: string;
  /** Digest of the table. */
  readonly csv: string;
}

/** What an index says of a cell whose files look as they did. */
export interface IndexedCell {
  readonly record: CellRecord;
  /** One for each snapshot, if it has fields: all complete. */
  readonly fields: readonly FieldFolder[];
}

/** The coarsest timestamps of file systems with links: one second (ext3, HFS+, NFSv3 before them); twice that. */
const COARSEST_MS = 2_000;

/**
 * The index as it was last written. One that is missing, damaged, of another version of the program or of other
 * fields is empty.
 */
export function readIndex(directory: string, plan: Plan): StoreIndex {
  const settledBefore = Number.NEGATIVE_INFINITY;
  const bytes = readOrNull(join(directory, INDEX));
  const content = bytes === null ? null : sealedContent(bytes);
  const isDamaged = bytes !== null && content === null;
  const found = (content === null ? null : readContent(content, plan)) ?? NOTHING;
  return { ...found, lines: new Map(), settledBefore, isDamaged };
}

type Content = Pick<StoreIndex, "content" | "known" | "summary">;

const NOTHING: Content = { content: Buffer.alloc(0), known: new Map(), summary: null };

/** What comes before the seal; null if that does not fit. */
function sealedContent(bytes: Buffer): Buffer | null {
  const content = bytes.subarray(0, -SEAL_BYTES);
  return bytes.toString("latin1", content.length) === sealOf(content) ? content : null;
}

function readContent(content: Buffer, plan: Plan): Content | null {
  const end = content.indexOf("\n");
  let summary: IndexedSummary | null;
  try {
    const { summary: found, ...header } = JSON.parse(content.toString("utf8", 0, end));
    if (!isDeepStrictEqual(header, headerOf(plan))) return null;
    summary = found;
  } catch {
    return null; // sealed, but by a stranger
  }
  const known = new Map<string, number>();
  for (let from = end + 1; from < content.length; from = lineEnd(content, from)) {
    known.set(content.toString("latin1", from, from + ID_LENGTH), from);
  }
  return { content, known, summary };
}

/** Where the next line begins. */
function lineEnd(content: Buffer, from: number): number {
  return content.indexOf(LINE_FEED, from) + 1 || content.length;
}

const LINE_FEED = 10;

/** As `readIndex`, to be made again. */
export function openIndex(directory: string, plan: Plan): StoreIndex {
  return { ...readIndex(directory, plan), settledBefore: clockOf(directory) - COARSEST_MS };
}

/** The time by the clock of the directory's file system; minus infinity without links: times and inodes may show too little. */
function clockOf(directory: string): number {
  return linkedNow(directory)?.ctimeMs ?? Number.NEGATIVE_INFINITY;
}

/** Whether each of the plan's cells is as the index had it when it was read. */
export function isAllKnown({ known, lines }: StoreIndex, plan: Plan): boolean {
  return plan.cells.every(({ id }) => known.has(id) && lines.get(id) === known.get(id));
}

/** The file's new content. */
export function indexText(
  { content, lines }: StoreIndex,
  plan: Plan,
  summary: IndexedSummary | null,
): Uint8Array {
  const header = JSON.stringify({ ...headerOf(plan), summary });
  const parts: Uint8Array[] = [Buffer.from(`${header}\n`)];
  for (const line of lines.values()) {
    const isKnown = typeof line === "number";
    parts.push(isKnown ? content.subarray(line, lineEnd(content, line)) : Buffer.from(line));
  }
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return Buffer.concat([...parts, Buffer.from(`sha256:${hash.digest("hex")}\n`)]);
}

/** What an index is of: lines of other versions, fields or analyses say too little. */
function headerOf({ field, analyses }: Plan) {
  const ids = analyses.map(({ id }) => id);
  return {
    version: VERSION,
    field: field?.id ?? null,
    ...(ids.length > 0 ? { analyses: ids } : {}),
  };
}

/** The last line: the digest of all before it. */
function sealOf(content: Uint8Array): string {
  return `${digestOf(content)}\n`;
}

const SEAL_BYTES = "sha256:\n".length + 64;

/** The cells of an index whose files look as they did. */
export interface KnownCells {
  /** What the index says of a cell; null if nothing, or if its files do not look as they did. In the plan's order. */
  at(cell: Cell): IndexedCell | null;
  stop(): Promise<void>;
}

/** What an index says, to be compared with what the files look like. */
export function knownCells(
  { directory, index }: { directory: string; index: StoreIndex },
  plan: Plan,
): KnownCells {
  const { content, known, lines } = index;
  const textAt = (from: number) => content.toString("utf8", from, lineEnd(content, from));
  const cells = plan.cells.filter(({ id }) => known.has(id));
  const [first] = cells;
  // Nearly always all cells have files of the same names.
  const usual = first ? parseLine(textAt(known.get(first.id)!), plan, first) : null;
  const names = usual ? namesOf(usual) : [];
  const folders = cells.map(({ id }) => `${directory}/${cellFolder(id)}`);
  const ahead = lookAhead(folders, names);
  let next = 0;
  return {
    at(cell) {
      const from = known.get(cell.id);
      if (from === undefined) return null;
      while (next < cells.length && cells[next] !== cell) next++; // those in between were not asked for
      if (next === cells.length) return null; // not in the plan's order
      const line = textAt(from);
      const found = parseLine(line, plan, cell);
      if (found === null) return null;
      const isUsual = usual !== null && hasSameNames(found, usual);
      let sum = isUsual ? ahead.sumAt(next) : undefined;
      if (sum === undefined) {
        sum = looksOf(folders[next]!, isUsual ? names : namesOf(found))?.sum ?? null;
      }
      if (sum === null || sumText(sum) !== line.slice(ID_LENGTH + 1, JSON_AT - 1)) return null;
      lines.set(cell.id, from);
      return found;
    },
    stop: () => ahead.stop(),
  };
}

/** Notes a cell that was just found whole, unless its files have changed so lately that they may change unseen. */
export function noteCell(
  { directory, index }: { directory: string; index: StoreIndex },
  { id }: Cell,
  found: IndexedCell,
): void {
  const looks = looksOf(`${directory}/${cellFolder(id)}`, namesOf(found));
  if (looks === null || looks.latest >= index.settledBefore) return;
  const { physics: _, ...record } = found.record; // which the plan knows
  const content = { ...record, tiles: found.fields.map(({ description }) => description.tile) };
  index.lines.set(id, `${id} ${sumText(looks.sum)} ${JSON.stringify(content)}\n`);
}

const ID_LENGTH = 16;
const LOOKS_LENGTH = 16;
const JSON_AT = ID_LENGTH + LOOKS_LENGTH + 2;

function parseLine(line: string, plan: Plan, cell: Cell): IndexedCell | null {
  try {
    const { tiles, ...rest } = JSON.parse(line.slice(JSON_AT));
    const record = { ...rest, physics: cell.physics };
    if (!isRecord(record) || record.cell !== cell.id) return null;
    if (expectedAnalyses(plan, record).some(({ found }) => found === null)) return null;
    const fields = fieldsOf(plan, record, tiles);
    return fields === null ? null : { record, fields };
  } catch {
    return null; // sealed, but by a stranger
  }
}

function fieldsOf(plan: Plan, record: CellRecord, tiles: unknown): FieldFolder[] | null {
  const { status, weights, cell, physics } = record;
  const { field } = plan;
  const count = field === null || status === "diverged" ? 0 : weights.length;
  if (!Array.isArray(tiles) || tiles.length !== count) return null;
  if (!tiles.every((tile) => Number.isSafeInteger(tile) && tile >= 1)) return null;
  const depth = physics.network.hidden.length;
  return tiles.map((tile, i) => {
    const { snapshot, digest } = weights[i]!;
    const description = { cell, snapshot, weights: digest, grid: field!.grid, depth, tile };
    return { folder: fieldFolder(cell, snapshot, field!.id), description };
  });
}

/**
 * Names, in a cell's folder, of its files and of the folders of its fields: a link in them can be replaced, but not
 * without a new time of its folder. That the cell's own folder is one, the scan sees.
 */
function namesOf({ record, fields }: IndexedCell): string[] {
  const folder = cellFolder(record.cell);
  const paths = [
    cellJson(record.cell),
    ...record.weights.map(({ snapshot }) => weightsFile(record.cell, snapshot)),
    ...fields.flatMap(pathsOfField),
    ...(record.analyses ?? []).flatMap((analysis) => pathsOfAnalysis(record.cell, analysis)),
  ];
  return paths.map((path) => path.slice(folder.length + 1));
}

/** Whether the files of two cells of a plan have the same names. */
function hasSameNames(a: IndexedCell, b: IndexedCell): boolean {
  const [those, fields] = [b.record.weights, b.fields];
  return (
    a.record.weights.length === those.length &&
    a.fields.length === fields.length &&
    hasSameAnalyses(a.record, b.record) &&
    a.record.weights.every(({ snapshot }, i) => snapshot === those[i]!.snapshot) &&
    a.fields.every(({ description }, i) => description.tile === fields[i]!.description.tile)
  );
}

function hasSameAnalyses({ analyses: a }: CellRecord, { analyses: b }: CellRecord): boolean {
  if (a === undefined && b === undefined) return true;
  const names = (of: typeof a) =>
    of?.map(({ name, snapshot, id, files }) => {
      return [name, snapshot, id, files.map(({ path }) => path)];
    });
  return isDeepStrictEqual(names(a), names(b));
}

function pathsOfAnalysis(cell: string, analysis: AnalysisRecord): string[] {
  const folder = analysisFolder(cell, analysis);
  if (analysis.files.length === 0) return [];
  const names = [...arrayFolders(analysis.files), ...analysis.files.map(({ path }) => path)];
  return [folder, ...names.map((name) => `${folder}/${name}`)];
}

function pathsOfField({ folder, description }: FieldFolder): string[] {
  const paths = [folder, `${folder}/zarr.json`];
  const side = tilesPerSide(description);
  for (const array of arraysOf(description.grid)) {
    paths.push(`${folder}/${array}`);
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        paths.push(`${folder}/${chunkPath(description, array, { row, column })}`);
      }
    }
  }
  return paths;
}
