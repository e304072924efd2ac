/** Reads files of a store, which may come from an untrusted source, and says what is wrong with a disk. */
import type { Stats } from "node:fs";
import { lstat, open, readFile } from "node:fs/promises";
import { StoreError } from "../../shared/errors.ts";
import { CELLS } from "./layout.ts";

/** Folder for files that are being written; what it contains when a store is opened is left over. */
const TEMPORARY_FOLDER = ".ftle-tmp";
/** One for each file system: `cells` may be a link to another, or a mount point. */
export const TEMPORARY_FOLDERS = [TEMPORARY_FOLDER, `${CELLS}/${TEMPORARY_FOLDER}`] as const;

/** No text of ours comes near this size; one of twice this size would not fit into a string. */
export const MOST_TEXT_BYTES = 2 ** 28;
/** The most that Node reads in one call. */
export const MOST_BYTES = 2 ** 31 - 1;

/**
 * A file's bytes; null if nothing is there. A store may come from an untrusted source: links are not
 * followed, pipes not waited for. What is not a file, or is larger than any of ours, reads as empty,
 * which callers treat as damage.
 *
 * @throws StoreError if it cannot be read.
 */
export async function readIfThere(path: string, mostBytes = MOST_BYTES): Promise<Buffer | null> {
  try {
    return isOurs(await lstat(path), mostBytes) ? await readFile(path) : Buffer.alloc(0);
  } catch (error) {
    if (isAbsence(error)) return null;
    throw storeError("read", path, error);
  }
}

/** A file's text; as with `readIfThere`, `""` if what is there is not one of ours. */
export async function readTextIfThere(path: string): Promise<string | null> {
  return (await readIfThere(path, MOST_TEXT_BYTES))?.toString() ?? null;
}

/** Whether it may be a file of ours, by its kind and size: none of ours is a link, pipe or device. */
export function isOurs(found: Stats, mostBytes: number): boolean {
  return found.isFile() && found.size <= mostBytes;
}

/** ENOTDIR: there is a file where a folder of the path should be; ELOOP: a link that leads to itself. */
export function isAbsence(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ELOOP"].some((code) => isErrno(error, code));
}

export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** @returns the error itself if it is not a file system's error. */
export function storeError(verb: "read" | "write", path: string, error: unknown): unknown {
  if (error instanceof StoreError || !(error instanceof Error) || !("code" in error)) return error;
  const cause = CAUSES[error.code as string] ?? error.message;
  return new StoreError(`cannot ${verb} ${path}: ${cause}`, { path, cause: error });
}

const CAUSES: Record<string, string> = {
  ENOSPC: "the disk is full (ENOSPC); free some space and resume",
  EDQUOT: "the quota is used up (EDQUOT); free some space and resume",
  EROFS: "the file system is read-only (EROFS); choose another --out",
  EACCES: "no permission (EACCES); choose another --out or change its permissions",
  EPERM: "not permitted (EPERM); choose another --out or change its permissions",
  ENOTDIR: "a part of the path is not a folder (ENOTDIR); choose another --out",
  EXDEV: "it is on another file system (EXDEV); of a store, only the whole folder `cells` may be",
  EEXIST: "there is a file where a folder should be (EEXIST); choose another --out",
};

/** Writes a new file, which is on the disk when this returns. @throws EEXIST if there is one. */
export async function writeSynced(path: string, bytes: Uint8Array | string): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
