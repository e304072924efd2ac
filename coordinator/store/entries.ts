/** Examines and reads what is in a store, synchronously: awaiting each of 10⁵ files would make a scan too slow. */
import type { Dirent, Stats } from "node:fs";
import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { isAbsence, isErrno, isOurs, MOST_BYTES, storeError } from "./files.ts";

/** `other`: a link, pipe, socket or device. */
export type Kind = "absent" | "file" | "folder" | "other";

export function kindAt(path: string): Kind {
  return kindOf(look(path));
}

/** Bytes of a file; null if there is none. */
export function sizeOf(path: string): number | null {
  const found = look(path);
  return found?.isFile() ? found.size : null;
}

/** What is in a folder, or in the one that a link leads to, by name; null if the path is not a folder. */
export function entriesIn(folder: string): Map<string, Kind> | null {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return new Map(entries.map((entry) => [entry.name, kindOf(entry)]));
  } catch (error) {
    if (isErrno(error, "ENOENT")) return new Map();
    if (isErrno(error, "ENOTDIR")) return null;
    throw storeError("read", folder, error);
  }
}

/** Names in a folder; empty if the folder does not exist. */
export function namesIn(folder: string): string[] {
  return unlessAbsent(folder, () => readdirSync(folder)) ?? [];
}

/** As `readIfThere`. */
export function readOrNull(path: string, mostBytes = MOST_BYTES): Buffer | null {
  const found = look(path);
  if (found === undefined) return null;
  if (!isOurs(found, mostBytes)) return Buffer.alloc(0);
  return unlessAbsent(path, () => readWhole(path, found.size)) ?? null;
}

/** As `readFileSync`, in half the time if the file is small and has the expected size. */
function readWhole(path: string, expectedBytes: number): Buffer {
  if (expectedBytes > SMALL_BYTES) return readFileSync(path);
  const descriptor = openSync(path, "r");
  try {
    const buffer = Buffer.allocUnsafe(expectedBytes + 1);
    const bytes = readSync(descriptor, buffer);
    if (bytes === expectedBytes) return buffer.subarray(0, bytes);
  } finally {
    closeSync(descriptor);
  }
  return readFileSync(path); // it has changed meanwhile
}

const SMALL_BYTES = 2 ** 24;

/** What the file system says of a path, without following a link; undefined if there is nothing. */
export function look(path: string): Stats | undefined {
  return unlessAbsent(path, () => lstatSync(path, NO_THROW));
}

const NO_THROW = { throwIfNoEntry: false } as const;

function kindOf(entry: Stats | Dirent | undefined): Kind {
  if (entry === undefined) return "absent";
  if (entry.isFile()) return "file";
  return entry.isDirectory() ? "folder" : "other";
}

function unlessAbsent<T>(path: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw storeError("read", path, error);
  }
}

/** Whether something is a folder of ours; anything else at its path is damage. */
export function isFolder(kind: Kind | undefined, path: string, damaged: string[]): boolean {
  if (kind !== undefined && kind !== "folder" && kind !== "absent") damaged.push(`${path}/`);
  return kind === "folder";
}
