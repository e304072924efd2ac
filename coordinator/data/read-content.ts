/** Reads what a data set from files is made of. */
import { readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import type { Content, Facts } from "../../shared/datasets/content.ts";
import { encodeContent } from "../../shared/datasets/content.ts";
import type { OptionValues, SourceOptions } from "../../shared/datasets/data-set.ts";
import { UsageError } from "../../shared/errors.ts";
import { digestOf } from "../../shared/identity.ts";
import { contentOfTable, type Selection } from "./content-of-table.ts";
import { readCsv } from "./csv.ts";
import { type DataPlaces, findData } from "./find-data.ts";
import { contentOfIdx, IDX_FILES, type IdxFiles } from "./idx.ts";
import { readNpy, readNpz } from "./npy.ts";
import { readParquet } from "./parquet.ts";
import { DataError, type Table } from "./table.ts";

/** A data set as a sweep names it. */
export interface SourcedData {
  readonly name: string;
  readonly options: OptionValues;
  readonly source?: SourceOptions;
}

export interface ReadContent {
  /** As it is stored and sent to workers. */
  readonly bytes: Uint8Array;
  readonly digest: string;
  readonly facts: Facts;
}

/**
 * @throws UsageError if the files are not where they should be; DataError with all that is wrong with them.
 */
export async function readContent(data: SourcedData, places: DataPlaces): Promise<ReadContent> {
  const { path = null } = (data.source ?? {}) as { path?: string };
  const found = findData(data.name, path, places);
  const { content, facts } = await parse(data, found);
  const bytes = encodeContent(content);
  return { bytes, digest: digestOf(bytes), facts };
}

async function parse(
  { name, options, source }: SourcedData,
  path: string,
): Promise<{ content: Content; facts: Facts }> {
  if (name !== "file") return contentOfIdx(path, await readIdx(path));
  const table = await readTable(path, await readIfFile(path));
  const targets = options.targets as Selection["targets"];
  return contentOfTable(path, table, { ...(source as unknown as Selection), targets });
}

async function readTable(path: string, bytes: Uint8Array): Promise<Table> {
  switch (extname(path).toLowerCase()) {
    case ".csv":
    case ".tsv":
    case ".txt":
      return readCsv(path, bytes);
    case ".npy":
      return readNpy(path, bytes);
    case ".npz":
      return readNpz(path, bytes);
    case ".parquet":
      return await readParquet(path, bytes);
  }
  const expected = "a file whose name ends in .csv, .tsv, .npy, .npz or .parquet";
  throw new DataError(path, [{ place: "", expected, found: extname(path) || "no ending" }]);
}

async function readIdx(folder: string): Promise<IdxFiles> {
  const missing: string[] = [];
  const read = async (name: string) => {
    for (const ending of ["", ".gz"]) {
      const bytes = await readFile(join(folder, name + ending)).catch(() => null);
      if (bytes !== null) return bytes;
    }
    missing.push(name);
    return new Uint8Array();
  };
  const entries: [string, Uint8Array][] = [];
  for (const [key, name] of Object.entries(IDX_FILES)) entries.push([key, await read(name)]);
  if (missing.length > 0) {
    const faults = missing.map((name) => {
      return { place: "", expected: `${name} or ${name}.gz`, found: "neither" };
    });
    throw new DataError(folder, faults);
  }
  return Object.fromEntries(entries) as unknown as IdxFiles;
}

async function readIfFile(path: string): Promise<Uint8Array> {
  try {
    if ((await stat(path)).isFile()) return await readFile(path);
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as Error).message}`);
  }
  throw new DataError(path, [{ place: "", expected: "a file", found: "a folder, pipe or device" }]);
}
