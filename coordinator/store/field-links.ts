/** Puts a field's metadata where it belongs: what fields share once beside the cells, and links to it. */
import { randomUUID } from "node:crypto";
import type { Stats } from "node:fs";
import { lstatSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { kindAt, readOrNull } from "./entries.ts";
import type { SharedMetadata } from "./field-metadata.ts";
import { groupMetadata, sharedMetadata } from "./field-metadata.ts";
import type { FieldDescription } from "./field-zarr.ts";
import { CELLS, gridFolder } from "./layout.ts";
import type { Link, NewFile } from "./write-files.ts";

/** A field's folder, from the store's directory, and what its metadata says. */
export interface FieldFolder {
  readonly folder: string;
  readonly description: FieldDescription;
}

/** Files at their paths from the store's directory that a field needs before its first tile is stored. */
export async function newFieldFiles(
  { folder, description }: FieldFolder,
  { hasLinks }: { hasLinks: boolean },
): Promise<NewFile[]> {
  const shared = await sharedMetadata(description);
  const entries: Iterable<NewFile> = hasLinks ? shared.links : shared.files;
  const all: NewFile[] = [...entries, ["zarr.json", groupMetadata(description, shared)]];
  return all.map(([path, content]) => [`${folder}/${path}`, content]);
}

/** What fields of a grid link to: files at their paths from the store's directory. */
export function gridFiles({ key, files }: SharedMetadata): [path: string, bytes: Uint8Array][] {
  return [...files].map(([name, bytes]) => [`${gridFolder(key)}/${name}`, bytes]);
}

/** The files of a grid that are missing or not as they should be, with their correct content. */
export function wantingOfGrid(
  directory: string,
  shared: SharedMetadata,
): [path: string, bytes: Uint8Array][] {
  return gridFiles(shared).filter(([path, bytes]) => {
    const isOurs = isBelowFolders(directory, path);
    const found = isOurs ? readOrNull(join(directory, path), bytes.length) : null;
    return found?.equals(bytes) !== true;
  });
}

/** Whether what is above a file is folders and no links. */
function isBelowFolders(directory: string, path: string): boolean {
  const parts = path.split("/");
  for (let length = 1; length < parts.length; length++) {
    if (kindAt(join(directory, ...parts.slice(0, length))) !== "folder") return false;
  }
  return true;
}

/** Whether there is a symbolic link with exactly this target. */
export function isLinkTo(path: string, { linkTo }: Link): boolean {
  if (kindAt(path) !== "other") return false;
  try {
    return readlinkSync(path) === linkTo;
  } catch {
    return false; // a pipe, socket or device
  }
}

/** As `isLinkTo` of each of a field's links; fast if all are. */
export function areLinks(path: string, links: ReadonlyMap<string, Link>): boolean {
  try {
    for (const [name, { linkTo }] of links) {
      if (readlinkSync(`${path}/${name}`) !== linkTo) return false;
    }
    return true;
  } catch {
    return false; // the first that is absent or no link
  }
}

/** Whether relative links from fields lead into this directory: not if `cells` is itself a link to somewhere else. */
export function linksHold(directory: string): boolean {
  return kindAt(join(directory, CELLS)) !== "other";
}

/** Whether new fields can have links. */
export function canLink(directory: string): boolean {
  return linkedNow(directory) !== null;
}

/** What a new link in the directory looks like, removed again; null if fields cannot have any. */
export function linkedNow(directory: string): Stats | null {
  if (!linksHold(directory)) return null;
  const probe = join(directory, `.ftle-link-${randomUUID()}`); // two threads may try at once
  try {
    symlinkSync(".", probe);
    const found = lstatSync(probe);
    rmSync(probe, { force: true });
    return found;
  } catch {
    return null; // FAT, some network file systems: fields keep files of their own
  }
}
