import { renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "../../shared/errors.ts";
import { kindAt, sizeOf } from "./entries.ts";
import { MOST_BYTES, MOST_TEXT_BYTES, storeError } from "./files.ts";
import { CELLS, JOURNAL } from "./layout.ts";

/** Something in a store that is not ours, with its new name; relative paths. */
export interface Aside {
  /** With a slash at the end where a folder should be. */
  readonly path: string;
  readonly to: string;
}

/** Ensures that nothing is written outside a directory, whatever is in it. */
export interface Way {
  /**
   * Makes sure that a file can be written at a path below the directory, or in a folder, if the path
   * ends with a slash: a link, pipe, device, folder for a file or file for a folder, and a file larger
   * than any of ours, is renamed to `<name>.not-ours`. `cells` may be a link.
   *
   * @throws StoreError if it cannot be renamed, or the path leads out of the directory.
   */
  clear(path: string): void;
  /** Renames a file, by adding the ending and, if that is taken, a number. @returns the new path. */
  putAside(path: string, ending: string): string;
  /** Everything that `clear` renamed, in order. */
  readonly aside: readonly Aside[];
}

const NOT_OURS = ".not-ours";
/** The most folders that are remembered. */
const MOST_KNOWN = 10_000;

export function wayInto(directory: string): Way {
  const known = new Set<string>(); // folders known to be ours
  const aside: Aside[] = [];

  function putAside(path: string, ending: string): string {
    let to = path + ending;
    for (let n = 2; kindAt(join(directory, to)) !== "absent"; n++) to = `${path}${ending}-${n}`;
    try {
      renameSync(join(directory, path), join(directory, to));
    } catch (error) {
      throw storeError("write", join(directory, path), error);
    }
    return to;
  }

  function isFolder(path: string): boolean {
    const kind = kindAt(join(directory, path));
    if (kind === "absent") return false;
    if (kind === "folder" || (path === CELLS && isFolderBehind(join(directory, path)))) return true;
    aside.push({ path: `${path}/`, to: putAside(path, NOT_OURS) });
    return false;
  }

  return {
    aside,
    putAside,
    clear(path) {
      const parts = path.split("/");
      const name = parts.pop()!;
      if (parts.some((part) => ["", ".", ".."].includes(part)) || name === "..") {
        throw new StoreError(`expected a path within ${directory}, found ${path}`, { path });
      }
      for (let length = 1; length <= parts.length; length++) {
        const folder = parts.slice(0, length).join("/");
        if (known.has(folder)) continue;
        if (!isFolder(folder)) return;
        if (known.size >= MOST_KNOWN) known.clear();
        known.add(folder);
      }
      if (name === "") return;
      const file = join(directory, path);
      if (kindAt(file) === "absent" || (sizeOf(file) ?? Number.NaN) <= mostBytesOf(name)) return;
      aside.push({ path, to: putAside(path, NOT_OURS) });
    },
  };
}

function mostBytesOf(name: string): number {
  if (name === JOURNAL) return Number.POSITIVE_INFINITY; // is never read
  return /\.(json|yaml)$/.test(name) ? MOST_TEXT_BYTES : MOST_BYTES;
}

function isFolderBehind(link: string): boolean {
  return statSync(link, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
