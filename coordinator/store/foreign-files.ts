/** Distinguishes a sweep's directory from one with other files, in which nothing must be written. */
import { readdir, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../../shared/errors.ts";
import { parseSweep } from "../spec/parse-sweep.ts";
import { isErrno, readTextIfThere } from "./files.ts";
import { CELLS, cellJson, isCellId, SWEEP_JSON, SWEEP_YAML } from "./layout.ts";
import { unsealJson } from "./sealed-json.ts";

/** Names that do not show whose a folder is: locks, hidden files, what a disk has at its root. */
const NEUTRAL = /^(lock\.\d+$|\.|lost\+found$)/;

/**
 * A sweep starts in an empty folder, and continues in its own. `sweep.json` identifies a sweep's folder;
 * where that is damaged or lost, its cells or its spec do.
 *
 * @throws UsageError naming what else was found.
 */
export async function refuseForeign(directory: string): Promise<void> {
  await refuseForeignCells(directory);
  const cells = await namesIn(join(directory, CELLS));
  const names = (await namesIn(directory)).filter(
    (name) => !NEUTRAL.test(name) && (name !== CELLS || cells.length > 0),
  );
  if (names.length === 0) return;
  const json = await readTextIfThere(join(directory, SWEEP_JSON));
  if (json !== null && unsealJson(json) !== null) return; // of any format: its reader checks that
  if (await hasRecord(directory, cells)) return;
  const isOthersJson = json !== null && isOthers(json);
  const yaml = await readTextIfThere(join(directory, SWEEP_YAML));
  const isSpec = yaml !== null && "sweep" in parseSweep(yaml, { file: directory });
  if (isSpec && !isOthersJson) return;
  const found = isOthersJson
    ? `${SWEEP_JSON}, which is not from a sweep of ftle,`
    : foundInstead(names);
  throw new UsageError(
    `expected ${directory} to be empty, new, or the directory of a sweep; found ${found} in it. Choose another --out`,
  );
}

function foundInstead(names: readonly string[]): string {
  if (names.includes(SWEEP_YAML)) return `${SWEEP_YAML}, which is not a valid spec,`;
  if (names.includes(SWEEP_JSON)) return `${SWEEP_JSON}, which is damaged or not from ftle,`;
  if (names.includes(CELLS)) return `${CELLS}, which has no cell of a sweep,`;
  return names[0]!;
}

/** Whether a file with the name of ours is intact, and has none of the members of ours. */
function isOthers(json: string): boolean {
  try {
    const content = JSON.parse(json);
    const members = typeof content === "object" && content !== null ? Object.keys(content) : [];
    return !["format", "engine", "sha256"].some((member) => members.includes(member));
  } catch {
    return false; // truncated or garbled: it shows nothing
  }
}

async function hasRecord(directory: string, cells: readonly string[]): Promise<boolean> {
  for (const cell of cells.filter(isCellId)) {
    if ((await readTextIfThere(join(directory, cellJson(cell)))) !== null) return true;
  }
  return false;
}

/** `cells` may be a link to another disk: to a folder that is empty or contains cells. */
async function refuseForeignCells(directory: string): Promise<void> {
  const path = join(directory, CELLS);
  const target = await readlink(path).catch((error) => {
    if (isErrno(error, "ENOENT") || isErrno(error, "EINVAL")) return null; // absent, or not a link
    throw error;
  });
  if (target === null) return;
  const found = await foundBehind(path);
  if (found === null) return;
  throw new UsageError(
    `expected ${path} to be a folder of cells or a link to one, found a link to ${target}, which ${found}. Put the folder there, remove the link, or choose another --out`,
  );
}

async function foundBehind(path: string): Promise<string | null> {
  const target = await stat(path).catch((error) => {
    if (isErrno(error, "ENOENT") || isErrno(error, "ELOOP") || isErrno(error, "ENOTDIR"))
      return null;
    throw error;
  });
  if (target === null) return "does not exist";
  if (!target.isDirectory()) return "is not a folder";
  const names = await readdir(path);
  const foreign = names.find((name) => !NEUTRAL.test(name));
  return foreign === undefined || names.some(isCellId) ? null : `contains ${foreign} and no cell`;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isErrno(error, "ENOENT") || isErrno(error, "ENOTDIR")) return [];
    throw error;
  }
}
