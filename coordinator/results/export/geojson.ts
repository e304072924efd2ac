/** Ridge lines as GeoJSON features, in the coordinates of the input plane (RFC 7946 has degrees of longitude and latitude). */
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { AnalysisPlan } from "../../plan/plan.ts";
import type { Ridge } from "../stored-ridges.ts";
import { storedRidges } from "../stored-ridges.ts";
import type { FlatRow } from "../summary.ts";
import { flatRow, summaryRows } from "../summary.ts";
import type { StoredSweepState } from "./stored-fields.ts";

/** Writes a feature for each network and snapshot, whose properties are its row of the summary. */
export async function writeGeojson(
  file: string,
  source: StoredSweepState,
  { analysis, signal }: { readonly analysis: AnalysisPlan; readonly signal: AbortSignal },
): Promise<void> {
  await pipeline(partsOf(source, analysis), createWriteStream(file), { signal });
}

async function* partsOf(
  { directory, plan, state }: StoredSweepState,
  analysis: AnalysisPlan,
): AsyncGenerator<string> {
  const cells = new Map(state.cells.map((cell) => [cell.cell.id, cell]));
  yield '{"type": "FeatureCollection", "features": [';
  let separator = "\n";
  for (const row of summaryRows(plan, state)) {
    const cell = cells.get(row.cell)!;
    const lines = await storedRidges(directory, cell, { analysis, snapshot: row.snapshot });
    yield separator + JSON.stringify(featureOf(lines, flatRow(row)));
    separator = ",\n";
  }
  yield "\n]}\n";
}

function featureOf(lines: readonly Ridge[], properties: FlatRow) {
  const geometry = { type: "MultiLineString", coordinates: lines };
  return { type: "Feature", properties, geometry };
}
