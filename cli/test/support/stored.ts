/** What a store holds, as tests compare it. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { analysisTask, trainTask } from "../../../coordinator/plan/plan.ts";
import { damagedSummary } from "../../../coordinator/store/check-summary.ts";
import { readIfThere } from "../../../coordinator/store/files.ts";
import { FIGURES, INDEX, JOURNAL } from "../../../coordinator/store/layout.ts";
import { scanStore } from "../../../coordinator/store/scan.ts";
import { tileTask } from "../../../coordinator/store/tile-task.ts";
import { digestOf } from "../../../shared/identity.ts";
import { loadStored } from "../../sweeps/stored-sweep.ts";

/**
 * Of every file of a store, hidden ones too, the digest of what must be the same no matter who computed it,
 * when, and however often it was interrupted. Without the journal, the index and the figures.
 */
export async function contents(directory: string): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const path of await filesIn(directory)) {
    if (path === JOURNAL || path === INDEX || path.startsWith(`${FIGURES}/`)) continue;
    const bytes = await readFile(join(directory, path));
    digests[path] = digestOf(Buffer.from(lasting(path, bytes)));
  }
  return digests;
}

/** Fails with the paths in which two stores differ. */
export function assertSameContents(
  actual: Record<string, string>,
  expected: Record<string, string>,
): void {
  const paths = Object.keys({ ...actual, ...expected });
  assert.deepEqual(
    paths.filter((path) => actual[path] !== expected[path]),
    [],
  );
}

/** Paths below a folder, sorted. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .sort();
}

/** What `ftle verify` sees: the files it calls damaged, and the tasks whose results are stored and whole. */
export async function examine(
  directory: string,
): Promise<{ damaged: string[]; tasks: Set<string> }> {
  const { plan, damaged } = await loadStored(directory);
  const state = await scanStore(plan, { directory, thorough: true });
  const tasks = new Set<string>();
  for (const { cell, record, fields, analyses } of state.cells) {
    if (record !== null) tasks.add(trainTask(plan, cell).id);
    for (const analysis of analyses) {
      if (analysis.record !== null) tasks.add(analysisTask(plan, cell, analysis).id);
    }
    for (const { description, tiles } of fields) {
      tiles.forEach((isStored, i) => {
        if (isStored === 1) tasks.add(tileTask(plan, cell, { description, index: i }).id);
      });
    }
  }
  return {
    damaged: [...damaged, ...(await damagedSummary(directory)), ...state.damaged],
    tasks,
  };
}

/** Tasks whose results were stored, in order, as the journal has them. */
export async function journalled(directory: string): Promise<string[]> {
  const text = await readIfThere(join(directory, JOURNAL));
  const lines = (text?.toString() ?? "").split("\n").slice(0, -1);
  return lines
    .map((line) => JSON.parse(line))
    .filter(({ event }) => event === "stored")
    .map(({ task }) => task);
}

/** The columns of the summary that hold times, and the members of JSON files that describe a run. */
const OF_A_RUN = new Set(["trainSeconds", "created", "provenance", "csv", "sha256"]);

function lasting(path: string, bytes: Buffer): string | Buffer {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name === "summary.csv") return withoutTime(bytes.toString());
  const isOfARun = ["cell.json", "sweep.json", "summary.json"].includes(name);
  if (!isOfARun) return bytes;
  const members = Object.entries(JSON.parse(bytes.toString()));
  return JSON.stringify(members.filter(([member]) => !OF_A_RUN.has(member)));
}

function withoutTime(csv: string): string {
  const rows = csv.split("\n").map((line) => line.split(","));
  const kept = rows[0]!.map((column) => !OF_A_RUN.has(column));
  return rows.map((row) => row.filter((_, i) => kept[i]).join()).join("\n");
}
