/** Files and links that appear whole or not at all, many at a time. */
import { randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  fsync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { isAbsence, isErrno, storeError, TEMPORARY_FOLDERS } from "./files.ts";
import { CELLS } from "./layout.ts";

/** What a new file holds, if need be made when it is written; or where a symbolic link leads. */
export type Content = Uint8Array | string | (() => Uint8Array) | Link;

export interface Link {
  /** Relative to the link's own folder. */
  readonly linkTo: string;
}

export type NewFile = readonly [path: string, content: Content];

interface WriteOptions {
  /** Below the root; by default one on the file system of what is written. */
  readonly temporaryFolder?: string;
  /** Calls back as soon as a file has its name; it may not survive a power cut yet. */
  onNamed?(path: string): void;
  /** Folders, from the root, that are known to survive a power cut; those written into are added. */
  readonly safe?: Set<string>;
}

/** Writes files in several steps, and syncs the folders once at the end. */
export interface Writer {
  /** Writes files under temporary names, fsyncs them, then renames them in the order given. */
  write(files: Iterable<NewFile>): Promise<void>;
  /** Fsyncs the folders with new entries, the deepest first: what is above vouches for what is below. */
  finish(): Promise<void>;
}

/** So many files are written, and as many synced, at a time: `ulimit -n` may be 64. */
const MOST_OPEN = 12;

/** The most folders that are remembered. */
const MOST_SAFE = 10_000;

const syncToDisk = promisify(fsync);

/**
 * Writes files below `root`. When it returns, all of them survive a power cut; when it throws, each is either as it was
 * or new.
 *
 * @throws StoreError if the disk is full, the quota used up, or the folder not writable.
 */
export async function writeFiles(
  root: string,
  files: Iterable<NewFile>,
  options: WriteOptions = {},
): Promise<void> {
  const writer = createWriter(root, options);
  await writer.write(files);
  await writer.finish();
}

/**
 * A writer below `root`. A folder that is there already may be of a run that was killed before it fsynced the one above:
 * so that one is fsynced, too, unless the folder is known to be safe.
 *
 * All system calls but `fsync` block: they take microseconds, and a promise for each would take
 * longer. The fsyncs of many files wait side by side.
 */
export function createWriter(
  root: string,
  { temporaryFolder, onNamed, safe = new Set() }: WriteOptions = {},
): Writer {
  const folders = new Set<string>(); // whose entries are to be fsynced
  const unsafe = new Set<string>();
  return {
    async write(files) {
      const written: { temporary: string; name: string; path: string }[] = [];
      const current = { path: root }; // what an error is about
      try {
        let syncing = Promise.resolve();
        for (const group of groupsOf(files, MOST_OPEN)) {
          const named = group.map(([name, content]) => {
            const folder = join(root, temporaryFolder ?? temporaryFolderOf(name));
            const temporary = join(folder, `.ftle-${randomUUID()}`);
            const file = { temporary, name, path: join(root, name) };
            written.push(file);
            return { ...file, content };
          });
          // The next group is written while the disk takes this one.
          const open = await createGroup(named, { folders, current, until: syncing });
          syncing = syncGroup(open, current);
          syncing.catch(() => {}); // is awaited below
        }
        await syncing;
        for (const folder of new Set(written.map(({ path }) => dirname(path)))) {
          current.path = folder;
          makeFolder(folder, folders);
          folders.add(folder);
        }
        for (const folder of unsafeFolders(written, safe)) {
          unsafe.add(folder);
          folders.add(join(root, dirname(folder)));
        }
        for (const { temporary, name, path } of written) {
          current.path = path;
          renameSync(temporary, path);
          onNamed?.(name);
        }
      } catch (error) {
        // Best effort: what is left behind is removed when the store is opened next.
        for (const { temporary } of written) tryToRemove(temporary);
        throw storeError("write", current.path, error);
      }
    },
    async finish() {
      const current = { path: root };
      try {
        for (const level of byDepth(folders)) {
          for (const group of groupsOf(level, MOST_OPEN)) {
            await Promise.all(group.map((folder) => syncFolder(folder, current)));
          }
        }
        if (safe.size > MOST_SAFE) safe.clear();
        for (const folder of unsafe) safe.add(folder);
      } catch (error) {
        throw storeError("write", current.path, error);
      }
    },
  };
}

/** Folders by how deep they are, the deepest first. */
function byDepth(folders: Iterable<string>): string[][] {
  const levels: string[][] = [];
  for (const folder of folders) {
    const depth = folder.split("/").length;
    levels[depth] ??= [];
    levels[depth].push(folder);
  }
  return levels.filter((level) => level !== undefined).reverse();
}

/** Writes files under their temporary names, and waits for the group before. Leaves none open if it throws. */
async function createGroup(
  group: readonly { temporary: string; path: string; content: Content }[],
  {
    folders,
    current,
    until,
  }: { folders: Set<string>; current: { path: string }; until: Promise<void> },
): Promise<OpenFile[]> {
  const open: OpenFile[] = [];
  try {
    for (const { temporary, path, content } of group) {
      current.path = path;
      createFile({ temporary, path }, content, { open, folders });
    }
    await until;
    return open;
  } catch (error) {
    for (const { descriptor } of open) closeSync(descriptor);
    await until.catch(() => {}); // its files are closed, too
    throw error;
  }
}

async function syncGroup(open: readonly OpenFile[], current: { path: string }): Promise<void> {
  try {
    const synced = await Promise.allSettled(open.map((file) => syncOne(file, current)));
    for (const one of synced) if (one.status === "rejected") throw one.reason;
  } finally {
    for (const { descriptor } of open) closeSync(descriptor);
  }
}

interface OpenFile {
  readonly path: string;
  readonly descriptor: number;
}

/** Creates a file or link under its temporary name; a file stays open. */
function createFile(
  { temporary, path }: { temporary: string; path: string },
  content: Content,
  { open, folders }: { open: OpenFile[]; folders: Set<string> },
): void {
  const create = () => {
    if (isLink(content)) symlinkSync(content.linkTo, temporary);
    else open.push({ path, descriptor: openSync(temporary, "wx") });
  };
  try {
    create();
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
    makeFolder(dirname(temporary), folders);
    create();
  }
  if (isLink(content)) return;
  writeAll(open.at(-1)!.descriptor, bytesOf(content));
}

export function isLink(content: Content): content is Link {
  return typeof content === "object" && "linkTo" in content;
}

function bytesOf(content: Exclude<Content, Link>): Uint8Array {
  if (typeof content === "string") return Buffer.from(content);
  return typeof content === "function" ? content() : content;
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let from = 0; from < bytes.length; ) from += writeSync(descriptor, bytes, from);
}

/** Makes a folder and its parents, and notes the folders in which entries came up. */
function makeFolder(path: string, folders: Set<string>): void {
  const first = mkdirSync(path, { recursive: true });
  if (first === undefined) return;
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) {
    folders.add(dirname(folder));
  }
}

/** The folders that files are in, from the root, which may not survive a power cut. */
function unsafeFolders(
  files: Iterable<{ readonly name: string }>,
  safe: ReadonlySet<string>,
): Set<string> {
  const unsafe = new Set<string>();
  for (const { name } of files) {
    let folder = dirname(name);
    while (folder !== "." && !safe.has(folder) && !unsafe.has(folder)) {
      unsafe.add(folder);
      folder = dirname(folder);
    }
  }
  return unsafe;
}

async function syncOne({ path, descriptor }: OpenFile, current: { path: string }): Promise<void> {
  try {
    await syncToDisk(descriptor);
  } catch (error) {
    current.path = path;
    throw error;
  }
}

/**
 * Makes a folder, and its parents, that survive a power cut; so does one that a killed run has just made. A parent that
 * may not be read cannot be fsynced: somebody else made it, earlier.
 */
export async function makeRoot(path: string): Promise<void> {
  const root = resolve(path);
  const folders = new Set([dirname(root)]);
  makeFolder(root, folders);
  for (const folder of folders) {
    try {
      await syncFolder(folder, { path: root });
    } catch (error) {
      if (!isErrno(error, "EACCES")) throw error;
    }
  }
}

/** Fsyncs every file and folder at and below a path under the root, and the folders above it; nothing if it is not there. */
export async function syncTree(root: string, path: string): Promise<void> {
  const current = { path: join(root, path) };
  try {
    const entries = readdirSync(current.path, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const folders = entries.filter((entry) => entry.isDirectory());
    const paths = [...files, ...folders].map(({ parentPath, name }) => join(parentPath, name));
    for (let folder = path; folder !== "."; folder = dirname(folder))
      paths.push(join(root, folder));
    for (const group of groupsOf([...paths, root], MOST_OPEN)) {
      await Promise.all(group.map((one) => syncFolder(one, current)));
    }
  } catch (error) {
    if (!isAbsence(error)) throw storeError("write", current.path, error);
  }
}

const NOT_SUPPORTED = ["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"];

/** Where folders cannot be fsynced (SMB, some FUSE), their file system keeps their entries safe, or nothing does. */
async function syncFolder(folder: string, current: { path: string }): Promise<void> {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(folder, constants.O_RDONLY);
    await syncToDisk(descriptor);
  } catch (error) {
    if (NOT_SUPPORTED.some((code) => isErrno(error, code))) return;
    current.path = folder;
    throw error;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function tryToRemove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The disk has a fault already, which is the one to report.
  }
}

function temporaryFolderOf(name: string): string {
  return TEMPORARY_FOLDERS[name.startsWith(`${CELLS}/`) ? 1 : 0];
}

function* groupsOf<T>(items: Iterable<T>, most: number): Generator<T[]> {
  let group: T[] = [];
  for (const item of items) {
    if (group.push(item) < most) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
