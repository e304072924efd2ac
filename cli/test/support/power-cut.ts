/**
 * What is left of files after a power cut: replays the operations that `record-writes.c` recorded, and keeps apart what
 * an fsync has made safe and what a disk may have kept or lost.
 */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Operation {
  readonly name: string;
  readonly inode: string;
  /** Where bytes were written, the new length, or which fsync it is. */
  readonly number: number;
  readonly path: string;
  readonly to: string;
  readonly bytes: Buffer;
}

export function readOperations(file: string): Operation[] {
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => {
    const [name, inode, number, path, to, bytes] = line.split("\t") as [string, ...string[]];
    const hex = Buffer.from(bytes!, "hex");
    return { name, inode: inode!, number: Number(number), path: path!, to: to!, bytes: hex };
  });
}

/** What happened to a node, in order; the first `safe` of it certainly outlives a power cut. */
interface Node<Change> {
  readonly changes: Change[];
  safe: number;
}

/** An entry that came up, or went: null. */
interface EntryChange {
  readonly name: string;
  readonly node: AnyNode | null;
  /** A rename is one operation, and changes two folders. */
  readonly operation: number;
}

interface BytesChange {
  readonly from: number;
  /** null: the file was cut, or filled up, to this length. */
  readonly bytes: Buffer | null;
}

export interface Folder extends Node<EntryChange> {
  readonly kind: "folder";
  /** Entries as a process sees them now. */
  readonly entries: Map<string, AnyNode>;
}

interface File extends Node<BytesChange> {
  readonly kind: "file";
}

interface SymbolicLink extends Node<never> {
  readonly kind: "symlink";
  readonly target: string;
}

type AnyNode = Folder | File | SymbolicLink;

/** What a disk has kept besides what is safe. */
export interface Disk {
  /** Whether it has kept a change of entries. */
  keepsEntry(operation: number): boolean;
  /** How much it has kept of a file's bytes that are not safe, 0…1, and whether the rest reads as zeros. */
  keepsBytes(): { readonly share: number; readonly hasZeros: boolean };
}

/** Keeps only what is safe. */
export const FORGETFUL: Disk = {
  keepsEntry: () => false,
  keepsBytes: () => ({ share: 0, hasZeros: false }),
};

/** Keeps all. */
export const FAITHFUL: Disk = {
  keepsEntry: () => true,
  keepsBytes: () => ({ share: 1, hasZeros: false }),
};

/** A disk that keeps any part of what is not safe. @param below random integers, as of a `RandomStream`. */
export function fickleDisk(below: (n: number) => number): Disk {
  const kept = new Map<number, boolean>();
  const most = 1 + below(4); // of four: some disks keep much, some little
  return {
    keepsEntry(operation) {
      const isKept = kept.get(operation) ?? below(4) < most;
      kept.set(operation, isKept);
      return isKept;
    },
    keepsBytes: () => ({ share: [0, 1, below(1000) / 1000][below(3)]!, hasZeros: below(2) === 0 }),
  };
}

/** @returns the folder `root`, which was empty before the first operation, as it is after the last. */
export function replay(root: string, operations: readonly Operation[]): Folder {
  const top = newFolder();
  const nodes = new Map<string, AnyNode>(); // by inode
  const syncs = new Map<string, number>(); // changes that are safe when it ends
  const isTop = new Set<string>();

  function parentOf(path: string): { folder: Folder; name: string } {
    const names = path.slice(root.length + 1).split("/");
    const name = names.pop()!;
    let folder = top;
    for (const part of names) {
      const next = folder.entries.get(part);
      if (next?.kind !== "folder") throw new Error(`${path}: not in a folder that was recorded`);
      folder = next;
    }
    return { folder, name };
  }

  function setEntry(path: string, node: AnyNode | null, operation: number): void {
    const { folder, name } = parentOf(path);
    folder.changes.push({ name, node, operation });
    if (node === null) folder.entries.delete(name);
    else folder.entries.set(name, node);
  }

  function nodeAt(path: string): AnyNode | null {
    const { folder, name } = parentOf(path);
    return folder.entries.get(name) ?? null; // null: a socket
  }

  function create(operation: Operation, i: number, node: AnyNode): void {
    nodes.set(operation.inode, node); // the number may have been that of a file which is gone
    setEntry(operation.path, node, i);
  }

  for (const [i, operation] of operations.entries()) {
    const { name, inode, number, path, to, bytes } = operation;
    const node = nodes.get(inode) ?? top; // only the root was there before
    if (name === "file") create(operation, i, { kind: "file", changes: [], safe: 0 });
    else if (name === "folder") create(operation, i, newFolder());
    else if (name === "symlink") {
      create(operation, i, { kind: "symlink", target: to, changes: [], safe: 0 });
    } else if (name === "link") setEntry(to, nodeAt(path), i);
    else if (name === "remove") setEntry(path, null, i);
    else if (name === "rename") {
      const moved = nodeAt(path);
      setEntry(path, null, i);
      setEntry(to, moved, i);
    } else if (name === "write" && node.kind === "file") node.changes.push({ from: number, bytes });
    else if (name === "truncate" && node.kind === "file") {
      node.changes.push({ from: number, bytes: null });
    } else if (name === "sync") syncs.set(`${inode} ${number}`, node.changes.length);
    else if (name === "synced") {
      node.safe = Math.max(node.safe, syncs.get(`${inode} ${number}`)!);
    } else throw new Error(`unexpected operation ${name} ${inode} ${path}`);
    if (node === top && ["sync", "synced"].includes(name)) isTop.add(inode);
  }
  if (isTop.size > 1) throw new Error("a file was there before the first operation");
  return top;
}

function newFolder(): Folder {
  return { kind: "folder", changes: [], safe: 0, entries: new Map() };
}

/** Writes what a disk has kept of a folder into a new one. */
export function writeKept(folder: Folder, path: string, disk: Disk): void {
  mkdirSync(path, { recursive: true });
  for (const [name, node] of entriesKept(folder, disk)) {
    const to = join(path, name);
    if (node.kind === "folder") writeKept(node, to, disk);
    else if (node.kind === "file") writeFileSync(to, bytesKept(node, disk));
    else symlinkSync(node.target, to);
  }
}

export function entriesKept({ changes, safe }: Folder, disk: Disk): Map<string, AnyNode> {
  const entries = new Map<string, AnyNode>();
  for (const [i, { name, node, operation }] of changes.entries()) {
    if (i >= safe && !disk.keepsEntry(operation)) continue;
    if (node === null) entries.delete(name);
    else entries.set(name, node);
  }
  return entries;
}

export function bytesKept({ changes, safe }: File, disk: Disk): Buffer {
  const { share, hasZeros } = disk.keepsBytes();
  const kept = safe + Math.floor((changes.length - safe) * share);
  const bytes = applied(changes.slice(0, kept));
  // A part of the next change, too.
  const next = changes[kept];
  if (next === undefined || share === 0) return bytes;
  const part = next.bytes?.subarray(0, Math.floor(next.bytes.length * share)) ?? null;
  const torn =
    part === null
      ? bytes
      : applied([
          { from: 0, bytes },
          { from: next.from, bytes: part },
        ]);
  if (!hasZeros) return torn;
  const length = applied(changes).length;
  return length < torn.length ? torn : Buffer.concat([torn], length);
}

function applied(changes: readonly BytesChange[]): Buffer {
  let content = Buffer.alloc(0);
  for (const { from, bytes } of changes) {
    if (bytes === null) content = Buffer.concat([content], from);
    else {
      const length = Math.max(content.length, from + bytes.length);
      content = Buffer.concat([content], length);
      content.set(bytes, from);
    }
  }
  return content;
}

/** Lines of a file at the top of what was recorded, whether or not they are safe. */
export function linesOf({ entries }: Folder, name: string): string[] {
  const file = entries.get(name);
  return file?.kind === "file" ? applied(file.changes).toString().split("\n").slice(0, -1) : [];
}
