/** Finds out what a field's metadata says, and what is wrong with it. Only reads. */
import { readlinkSync } from "node:fs";
import { join } from "node:path";
import { isFolder, kindAt, readOrNull } from "./entries.ts";
import { areLinks, isLinkTo, wantingOfGrid } from "./field-links.ts";
import type { SharedMetadata } from "./field-metadata.ts";
import { groupMetadata } from "./field-metadata.ts";
import type { FieldDescription } from "./field-zarr.ts";
import { arraysOf, readAttributes } from "./field-zarr.ts";
import { MOST_TEXT_BYTES } from "./files.ts";
import { GRIDS, gridFolder } from "./layout.ts";
import type { Content, Link } from "./write-files.ts";

/** Tile side and weights as recorded in a field's folder; null where they are not. */
interface StoredTile {
  readonly tile: number | null;
  readonly weights: string | null;
}

export const UNKNOWN: StoredTile = { tile: null, weights: null };

/** Whether a field's group has exactly this metadata. */
export function isGroupWhole(path: string, { description, shared }: FieldMetadata): boolean {
  return isWhole(join(path, "zarr.json"), groupMetadata(description, shared));
}

/** Read from any of a field's metadata files that is intact. */
export function storedTile(directory: string, folder: string): StoredTile {
  const path = join(directory, folder);
  const group = readOrNull(join(path, "zarr.json"), MOST_TEXT_BYTES);
  const attributes = group === null ? null : readAttributes(group);
  if (attributes !== null) return attributes;
  for (const array of arraysOf({})) {
    if (kindAt(join(path, array)) !== "folder") continue;
    const file = join(path, array, "zarr.json");
    const key = gridOf(file);
    const found = key === null ? file : join(directory, gridFolder(key), array, "zarr.json");
    const side = chunkSide(readOrNull(found, MOST_TEXT_BYTES));
    if (side !== null) return { tile: side, weights: null };
  }
  return UNKNOWN;
}

/** The key of the grid that a link leads to; null if it is no such link. */
function gridOf(path: string): string | null {
  if (kindAt(path) !== "other") return null;
  try {
    return /\/grids\/([0-9a-f]{16})\//.exec(readlinkSync(path))?.[1] ?? null;
  } catch {
    return null; // a pipe or a device
  }
}

function chunkSide(arrayJson: Buffer | null): number | null {
  try {
    const side = JSON.parse(String(arrayJson)).chunk_grid.configuration.chunk_shape.at(-1);
    return Number.isInteger(side) && side >= 1 ? side : null;
  } catch {
    return null; // a damaged file is an expected finding; the next one may be intact
  }
}

interface FieldMetadata {
  readonly description: FieldDescription;
  readonly shared: SharedMetadata;
}

interface ScannedField extends FieldMetadata {
  readonly folder: string;
  /** Whether its group's metadata is known to be whole. */
  readonly isWhole: boolean;
  /** Whether there is any chunk, intact or not. */
  readonly hasChunks: boolean;
}

interface MetadataScan {
  readonly directory: string;
  /** Whether links from fields lead into the directory. */
  readonly canHold: boolean;
  /** What is found damaged is added here: of the store, and of the field's folder. */
  readonly damaged: string[];
  readonly ofFolder: string[];
  /** Keys of grids whose files have been checked, and whether they are whole. */
  readonly grids: Map<string, boolean>;
}

export const NOTHING: ReadonlyMap<string, Content> = new Map();

/**
 * What of a field's metadata is missing or not as it should be, with its correct content. The arrays' metadata and the
 * coordinates are links to what fields share, or files: in stores of version 0.1.0, and where there are no links.
 */
export function wantingMetadata(
  { folder, description, shared, hasChunks, isWhole: isGroupThere }: ScannedField,
  { directory, canHold, damaged, ofFolder, grids }: MetadataScan,
): ReadonlyMap<string, Content> {
  const path = join(directory, folder);
  const { links } = shared;
  if (canHold && isGroupThere && areLinks(path, links)) {
    if (isGridWhole(directory, shared, { damaged, grids })) return NOTHING;
  }
  const wanting = new Map<string, Content>();
  const isOurs = (name: string, link: Link) => isLinkTo(join(path, name), link);
  const hasLink = [...links].some(([name, link]) => isOurs(name, link));
  const isNew = [...links.keys()].every((name) => kindAt(join(path, name)) === "absent");
  const isLinked = canHold && (hasLink || isNew);
  for (const [name, link] of links) {
    if (canHold && isOurs(name, link)) continue;
    const files = [...shared.files].filter(([file]) => file === name || topOf(file) === name);
    if (files.every(([file, bytes]) => isWhole(join(path, file), bytes))) continue;
    const top = topOf(name);
    const isNotOurs = !isOurs(name, link) && ["file", "other"].includes(kindAt(join(path, top)));
    if (isNotOurs && !ofFolder.includes(`${top}/`)) ofFolder.push(`${top}/`);
    if (!isLinked) {
      checkFiles(path, files, { wanting, ofFolder: isNotOurs ? [] : ofFolder, hasChunks });
      continue;
    }
    wanting.set(name, link);
    // Metadata is written before the first chunk: until then it may be incomplete after a kill.
    if (!isNotOurs && (hasChunks || kindAt(join(path, name)) !== "absent")) ofFolder.push(name);
  }
  if (canHold && hasLink && !isGridWhole(directory, shared, { damaged, grids })) {
    for (const [name, link] of links) wanting.set(name, link);
  }
  const group = [["zarr.json", groupMetadata(description, shared)]] as const;
  if (!isGroupThere) checkFiles(path, group, { wanting, ofFolder, hasChunks });
  return wanting;
}

function isWhole(path: string, bytes: Uint8Array): boolean {
  return readOrNull(path, bytes.length)?.equals(bytes) ?? false;
}

/** Notes files that are not as they should be. */
function checkFiles(
  path: string,
  files: readonly (readonly [name: string, bytes: Uint8Array])[],
  {
    wanting,
    ofFolder,
    hasChunks,
  }: { wanting: Map<string, Content>; ofFolder: string[]; hasChunks: boolean },
): void {
  for (const [name, bytes] of files) {
    if (isWhole(join(path, name), bytes)) continue;
    wanting.set(name, bytes);
    if (hasChunks || kindAt(join(path, name)) !== "absent") ofFolder.push(name);
  }
}

/** Whether the files of a grid are all there and as they should be; looked at once in a scan. */
export function isGridWhole(
  directory: string,
  shared: SharedMetadata,
  { damaged, grids }: Pick<MetadataScan, "damaged" | "grids">,
): boolean {
  const known = grids.get(shared.key);
  if (known !== undefined) return known;
  const folder = gridFolder(shared.key);
  const inside = [...new Set([...shared.files.keys()].map((name) => `${folder}/${topOf(name)}`))];
  for (const path of [GRIDS, folder, ...inside]) {
    if (!isFolder(kindAt(join(directory, path)), path, damaged)) break;
  }
  const wanting = wantingOfGrid(directory, shared);
  damaged.push(...wanting.map(([path]) => path));
  grids.set(shared.key, wanting.length === 0);
  return wanting.length === 0;
}

function topOf(path: string): string {
  return path.split("/", 1)[0]!;
}
