/** Where the files of data sets are. */
import { existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, isAbsolute, join, resolve } from "node:path";
import { UsageError } from "../../shared/errors.ts";

/** Where a spec's files are looked for. */
export interface DataPlaces {
  /** The folder that relative paths start from: the spec's. */
  readonly folder: string;
  /** Where files are that have moved: `--data`. */
  readonly moved?: string | undefined;
}

/** Where `ftle data get` puts data sets: `FTLE_DATA`, or the user's folder for data. */
export function dataFolder({ env = process.env }: { env?: NodeJS.ProcessEnv } = {}): string {
  if (env.FTLE_DATA) return resolve(env.FTLE_DATA);
  const home = env.XDG_DATA_HOME || join(homedir(), ".local", "share");
  return join(home, "ftle", "data");
}

/**
 * The path of a set's file or folder.
 * @param path as the spec has it; null: the set's own folder among those of `ftle data get`.
 * @throws UsageError naming where it was looked for.
 */
export function findData(name: string, path: string | null, { folder, moved }: DataPlaces): string {
  const candidates = path === null ? [] : [isAbsolute(path) ? path : join(folder, path)];
  if (moved !== undefined) {
    const isRelative = path !== null && !isAbsolute(path);
    const below = [...(isRelative ? [path] : []), basename(path ?? name)];
    // It may also be the file, or the folder of a set's files, itself.
    const isOfOne = name === "file" && isFolder(moved);
    const places = below.map((one) => join(moved, one));
    candidates.unshift(...new Set([...places, ...(isOfOne ? [] : [moved])]));
  }
  if (path === null) candidates.push(join(dataFolder(), name));
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found !== undefined) return found;
  const hint =
    path === null ? `; get it with: ftle data get ${name}` : "; say where it is with --data DIR";
  throw new UsageError(
    `expected the files of data set ${name} at ${candidates.join(" or ")}, found nothing there${hint}`,
  );
}

/**
 * The path of a single file that a spec names.
 * @throws UsageError naming where it was looked for.
 */
export function findFile(path: string, { folder, moved }: DataPlaces): string {
  const candidates = [isAbsolute(path) ? path : join(folder, path)];
  if (moved !== undefined) {
    if (!isAbsolute(path)) candidates.unshift(join(moved, path));
    candidates.unshift(join(moved, basename(path)));
  }
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found !== undefined) return found;
  throw new UsageError(
    `expected a network at ${[...new Set(candidates)].join(" or ")}, found nothing there; say where it is with --data DIR`,
  );
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
