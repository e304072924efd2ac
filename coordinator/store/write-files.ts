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
import { kindAt } from "./entries.ts";
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

/** So many files are written, and as many synced, at a time, by each of two threads: `ulimit -n` may be 64. */
const MOST_OPEN = 6;

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
      const staged = stagingArea(root, temporaryFolder);
      const current = { path: root }; // what an error is about
      try {
        let syncing = Promise.resolve();
        for (const group of groupsOf(files, MOST_OPEN)) {
          const placed = group.map(([name, content]) => {
            current.path = join(root, name);
            return { temporary: staged.place(name, folders), path: join(root, name), content };
          });
          // The next group is written while the disk takes this one.
          const open = await createGroup(placed, { current, until: syncing });
          syncing = syncGroup(open, current);
          syncing.catch(() => {}); // is awaited below
        }
        await syncing;
        for (const folder of new Set(staged.moves.map(({ to }) => dirname(to)))) {
          current.path = folder;
          makeFolder(folder, folders);
        }
        for (const name of staged.moves.flatMap(({ names }) => names)) {
          folders.add(dirname(join(root, name)));
          for (const folder of foldersAbove(name, (one) => safe.has(one) || unsafe.has(one))) {
            unsafe.add(folder);
            folders.add(join(root, dirname(folder)));
          }
        }
        for (const move of staged.moves) {
          current.path = move.to;
          moveInto(root, move, folders);
          for (const name of move.names) onNamed?.(name);
        }
      } catch (error) {
        // Best effort: what is left behind is removed when the store is opened next.
        for (const { from } of staged.moves) tryToRemove(from);
        throw storeError("write", current.path, error);
      }
    },
    async finish() {
      const current = { path: root };
      try {
        for (const level of byDepth(folders)) {
          for (const group of groupsOf(level, MOST_OPEN)) {
            await Promise.all(group.map((folder) => syncPath(folder, current)));
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

/** What gets its name with one rename: a file, or a new folder with all that is in it. */
interface Move {
  readonly from: string;
  readonly to: string;
  /** Files, from the root. */
  readonly names: string[];
}

/**
 * Where files lie until they have their names. A folder that is not there yet is made whole in the staging area, and moved
 * with one rename.
 */
function stagingArea(root: string, temporaryFolder: string | undefined) {
  const moves: Move[] = [];
  const staging = new Set<string>();
  const ofFolder = new Map<string, Move>();
  const tops = new Map<string, string | null>();

  /** The topmost folder on the way to this one that is not there; null if all are. */
  function topmostMissing(folder: string): string | null {
    if (folder === ".") return null;
    const known = tops.get(folder);
    if (known !== undefined) return known;
    const isThere = () => kindAt(join(root, folder)) !== "absent";
    const top = topmostMissing(dirname(folder)) ?? (isThere() ? null : folder);
    tops.set(folder, top);
    return top;
  }

  return {
    moves,
    /** The temporary path of a file; `folders` gets those in which new entries came up. */
    place(name: string, folders: Set<string>): string {
      const area = join(root, temporaryFolder ?? temporaryFolderOf(name));
      if (!staging.has(area)) makeFolder(area, folders);
      staging.add(area);
      const top = topmostMissing(dirname(name));
      let move = top === null ? undefined : ofFolder.get(top);
      if (move === undefined) {
        const from = join(area, `.ftle-${randomUUID()}`);
        move = { from, to: join(root, top ?? name), names: [] };
        moves.push(move);
        if (top !== null) ofFolder.set(top, move);
      }
      move.names.push(name);
      return top === null ? move.from : join(move.from, name.slice(top.length + 1));
    },
  };
}

/** A folder that another writer has made meanwhile gets the files one by one. */
function moveInto(root: string, { from, to, names }: Move, folders: Set<string>): void {
  try {
    renameSync(from, to);
  } catch (error) {
    const isFolder = to !== join(root, names[0]!);
    if (!isFolder || !(isErrno(error, "ENOTEMPTY") || isErrno(error, "EEXIST"))) throw error;
    for (const name of names) {
      const path = join(root, name);
      makeFolder(dirname(path), folders);
      renameSync(join(from, path.slice(to.length + 1)), path);
    }
    rmSync(from, { recursive: true });
  }
}

/** Writes files under their temporary names, and waits for the group before. Leaves none open if it throws. */
async function createGroup(
  group: readonly { temporary: string; path: string; content: Content }[],
  { current, until }: { current: { path: string }; until: Promise<void> },
): Promise<OpenFile[]> {
  const open: OpenFile[] = [];
  try {
    for (const { temporary, path, content } of group) {
      current.path = path;
      createFile({ temporary, path }, content, open);
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
  open: OpenFile[],
): void {
  const create = () => {
    if (isLink(content)) symlinkSync(content.linkTo, temporary);
    else open.push({ path, descriptor: openSync(temporary, "wx") });
  };
  try {
    create();
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
    mkdirSync(dirname(temporary), { recursive: true }); // in a folder that is not there yet
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

/** The folders that a file is in, from the root, up to one that is known. */
function foldersAbove(name: string, isKnown: (folder: string) => boolean): string[] {
  const folders: string[] = [];
  for (let folder = dirname(name); folder !== "." && !isKnown(folder); folder = dirname(folder)) {
    folders.push(folder);
  }
  return folders;
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
      await syncPath(folder, { path: root });
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
      await Promise.all(group.map((one) => syncPath(one, current)));
    }
  } catch (error) {
    if (!isAbsence(error)) throw storeError("write", current.path, error);
  }
}

const NOT_SUPPORTED = ["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"];

/** Where folders cannot be fsynced (SMB, some FUSE), their file system keeps their entries safe, or nothing does. */
async function syncPath(path: string, current: { path: string }): Promise<void> {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY);
    await syncToDisk(descriptor);
  } catch (error) {
    if (NOT_SUPPORTED.some((code) => isErrno(error, code))) return;
    current.path = path;
    throw error;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function tryToRemove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
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
