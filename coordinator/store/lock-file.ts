/** What a lock file contains, and how its holder shows that it is alive. */
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { constants, lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { isAbsence, isErrno } from "./files.ts";

export interface LockOwner {
  readonly pid: number;
  readonly host: string;
  /** When the process started, in the kernel's units: distinguishes it from a later process with the same pid. */
  readonly started: string;
  readonly since: string;
  /** Where the pid is valid: as in `ProcessPlace`. Absent in locks of version 0.1.0, like the members below. */
  readonly boot?: string;
  readonly pids?: string;
  /** The file system's device number, which is valid until the kernel restarts. */
  readonly device?: number;
  /** Name of the socket on which the holder listens; null if it could not open one. */
  readonly door?: string | null;
}

/** `lock.<generation>` in a directory. */
export interface LockFile {
  readonly path: string;
  readonly generation: number;
}

export interface LockContent {
  readonly text: string;
  /** null: the text does not say. */
  readonly owner: LockOwner | null;
  /** Changes with each sign of life. */
  readonly mark: string;
  /** Time of the last one, by the file system's clock, or, in version 0.1.0, by the holder's. */
  readonly mtimeMs: number;
}

/** Longer than any lock. */
const MOST_BYTES = 4096;

export async function lockFiles(directory: string): Promise<LockFile[]> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  }
  return names
    .filter((name) => /^lock\.\d{1,15}$/.test(name))
    .map((name) => ({ path: join(directory, name), generation: Number(name.slice(5)) }))
    .sort((a, b) => a.generation - b.generation);
}

/** null if there is no such file, or one that no coordinator wrote. */
export async function readLock(path: string): Promise<LockContent | null> {
  let file: FileHandle | undefined;
  try {
    if (!(await lstat(path)).isFile()) return null;
    // Opened, not only checked with stat(2): this makes an NFS client ask its server.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    const { mtimeNs } = await file.stat({ bigint: true });
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_BYTES), 0, MOST_BYTES, 0);
    const text = buffer.toString("utf8", 0, bytesRead);
    const mtimeMs = Number(mtimeNs / 1_000_000n);
    const mark = createHash("sha256").update(`${mtimeNs} ${text}`).digest("hex");
    return { text, owner: ownerIn(text), mark, mtimeMs };
  } catch (error) {
    if (isAbsence(error)) return null;
    throw error;
  } finally {
    await file?.close();
  }
}

export function lockText(owner: LockOwner): string {
  return `${JSON.stringify(owner)}\n`;
}

/**
 * Writes a sign of life after the owner's line: white space that changes each time. The file is written, not
 * touched with this process's time: the process that reads it has another clock.
 *
 * @throws ENOENT if the lock is gone.
 */
export async function writeBeat(path: string, owner: LockOwner, count: number): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.write(count % 2 === 0 ? " " : "\n", Buffer.byteLength(lockText(owner)));
  } finally {
    await file.close();
  }
}

function ownerIn(text: string): LockOwner | null {
  try {
    const owner = JSON.parse(text) as LockOwner | null;
    return typeof owner?.pid === "number" && typeof owner.host === "string" ? owner : null;
  } catch {
    return null; // half written, or damaged: the caller decides what that means
  }
}
