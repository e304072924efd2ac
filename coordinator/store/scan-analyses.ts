/** Finds out which analyses of a trained cell are stored. Only reads. */
import { join } from "node:path";
import type { Snapshot } from "../../shared/cell.ts";
import type { AnalysisPlan, Plan } from "../plan/plan.ts";
import type { AnalysisRecord, CellRecord } from "./cell-record.ts";
import { analysisRecord } from "./cell-record.ts";
import { isFolder, kindAt } from "./entries.ts";
import { analysisFolder } from "./layout.ts";
import { arrayFolders, isAsStored } from "./stored-file.ts";

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
  return expectedAnalyses(plan, record).map(({ analysis, snapshot, weights, found }) => {
    const isStored = found !== null && isWhole(record.cell, found, scan);
    return { analysis, snapshot, weights, record: isStored ? found : null, isMissing: !isStored };
  });
}

/** The analyses that a cell should have, with what its record says of each; none of a diverged cell. */
export function expectedAnalyses({ analyses }: Plan, record: CellRecord) {
  if (record.status === "diverged") return [];
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
  for (const array of arrayFolders(found.files)) {
    isFolder(kindAt(join(directory, folder, array)), `${folder}/${array}`, damaged);
  }
  for (const stored of found.files) {
    const path = `${folder}/${stored.path}`;
    if (!isAsStored(join(directory, path), stored, { thorough })) damaged.push(path);
  }
  return damaged.length === before;
}
