/** The columns of a sweep's analyses, by their names in tables. */
import type { Column } from "../../shared/analyses/analysis.ts";
import type { Snapshot } from "../../shared/cell.ts";
import type { AnalysisPlan, Plan } from "../plan/plan.ts";
import { analysisRecord, type CellRecord } from "../store/cell-record.ts";

/** Such as `exponents.mean`. */
export function analysisColumns({ analyses }: Pick<Plan, "analyses">): Map<string, Column> {
  return new Map(analyses.flatMap((analysis) => columnsOf(analysis)));
}

/** A cell's numbers at a snapshot; null where there is none (yet). */
export function analysisNumbers(
  { analyses }: Plan,
  { cell, record, snapshot }: { cell: string; record: CellRecord | null; snapshot: Snapshot },
): Readonly<Record<string, number | null>> {
  const numbers = analyses.flatMap((analysis) => {
    const found = record && analysisRecord(record, snapshot, analysis.idOf(cell));
    return columnsOf(analysis).map(([name, column]) => {
      return [name, found?.columns[column.name] ?? null] as const;
    });
  });
  return Object.fromEntries(numbers);
}

function columnsOf({ label, definition }: AnalysisPlan): [string, Column][] {
  return definition.columns.map((column) => [`${label}.${column.name}`, column]);
}
