/** Finds out which analyses of a trained cell are stored. Only reads. */
import { join } from "node:path";
import type { Snapshot } from "../../shared/cell.ts";
import { digestOf } from "../../shared/identity.ts";
import type { AnalysisPlan, Plan } from "../plan/plan.ts";
import type { AnalysisRecord, CellRecord } from "./cell-record.ts";
import { analysisRecord } from "./cell-record.ts";
import { isFolder, kindAt, readOrNull, sizeOf } from "./entries.ts";
import { analysisFolder } from "./layout.ts";

/** What is stored of an analysis of one cell at one snapshot. */
export interface AnalysisState {
  readonly analysis: AnalysisPlan;
  readonly snapshot: Snapshot;
  /** Digest of the weights that it is of. */
  readonly weights: string;
  /** null: not stored, or damaged. */
  readonly record: AnalysisRecord | null;
  /** Still to compute: neither stored nor given up. */
  readonly isMissing: boolean;
}

/** One for each snapshot and analysis; none of a diverged cell. */
export function scanAnalyses(
  plan: Plan,
  record: CellRecord,
  scan: { readonly directory: string; readonly thorough: boolean; readonly damaged: string[] },
): readonly AnalysisState[] {
  if (plan.analyses.length === 0 || record.status === "diverged") return NONE;
  return expectedAnalyses(plan, record).map(({ analysis, snapshot, weights, found }) => {
    const isStored = found !== null && isWhole(record.cell, found, scan);
    return { analysis, snapshot, weights, record: isStored ? found : null, isMissing: !isStored };
  });
}

const NONE: readonly AnalysisState[] = [];

/** The analyses that a cell should have, with what its record says of each. */
export function expectedAnalyses({ analyses }: Plan, record: CellRecord) {
  return record.weights.flatMap(({ snapshot, digest: weights }) =>
    analyses.map((analysis) => {
      const found = analysisRecord(record, snapshot, analysis.idOf(record.cell)) ?? null;
      return { analysis, snapshot, weights, found: found?.weights === weights ? found : null };
    }),
  );
}

function isWhole(
  cell: string,
  found: AnalysisRecord,
  { directory, thorough, damaged }: { directory: string; thorough: boolean; damaged: string[] },
): boolean {
  const folder = analysisFolder(cell, found);
  const before = damaged.length;
  if (found.files.length > 0 && !isFolder(kindAt(join(directory, folder)), folder, damaged)) {
    if (damaged.length === before) damaged.push(`${folder}/`);
    return false;
  }
  const arrays = new Set(found.files.map(({ path }) => path.split("/").slice(0, -1).join("/")));
  for (const array of arrays) {
    if (array !== "")
      isFolder(kindAt(join(directory, folder, array)), `${folder}/${array}`, damaged);
  }
  for (const { path, bytes, digest } of found.files) {
    const file = join(directory, folder, path);
    const isSound = thorough ? isContent(file, bytes, digest) : sizeOf(file) === bytes;
    if (!isSound) damaged.push(`${folder}/${path}`);
  }
  return damaged.length === before;
}

function isContent(file: string, bytes: number, digest: string): boolean {
  const content = readOrNull(file, bytes);
  return content?.length === bytes && digestOf(content) === digest;
}
