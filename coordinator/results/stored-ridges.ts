/** The ridge lines that the analysis `ridges` has stored. */
import { join } from "node:path";
import type { Snapshot } from "../../shared/cell.ts";
import { UsageError } from "../../shared/errors.ts";
import type { AnalysisPlan, Plan } from "../plan/plan.ts";
import { readAnalysisArray } from "../store/analysis-zarr.ts";
import { analysisFolder } from "../store/layout.ts";
import type { CellState } from "../store/scan.ts";

/** Points (x, y) in the input plane; a closed line repeats its first. */
export type Ridge = readonly (readonly [x: number, y: number])[];

/** The first analysis of ridges of a sweep. @throws UsageError if it has none. */
export function ridgesPlan({ analyses }: Plan, directory: string): AnalysisPlan {
  const found = analyses.find(({ ref }) => ref.name === "ridges");
  if (found !== undefined) return found;
  throw new UsageError(
    `expected a sweep with the analysis ridges, found none; add it with: ftle analyse ${directory} ridges`,
  );
}

/** Of a cell at a snapshot; none if they are not stored (yet). */
export async function storedRidges(
  directory: string,
  { cell, analyses }: CellState,
  { analysis, snapshot }: { readonly analysis: AnalysisPlan; readonly snapshot: Snapshot },
): Promise<Ridge[]> {
  const state = analyses.find((one) => one.analysis === analysis && one.snapshot === snapshot);
  if (!state?.record) return [];
  const folder = join(directory, analysisFolder(cell.id, state.record));
  const { values: vertices } = await readAnalysisArray(folder, "vertices");
  const { values: line } = await readAnalysisArray(folder, "line");
  const ridges: [number, number][][] = [];
  line.forEach((number, i) => {
    if (number === ridges.length) ridges.push([]); // in order
    ridges[number]!.push([vertices[2 * i]!, vertices[2 * i + 1]!]);
  });
  return ridges;
}
