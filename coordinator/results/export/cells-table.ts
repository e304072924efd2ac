import type { Plan } from "../../plan/plan.ts";
import type { Sweep } from "../../spec/sweep.ts";
import type { SummaryRow } from "../summary.ts";
import { flatRow } from "../summary.ts";
import type { Table, Value } from "./table.ts";
import { cellColumns } from "./table.ts";

/** The summary as a table: one row for each cell and snapshot. */
export function cellsTable(
  { sweep, plan }: { readonly sweep: Sweep; readonly plan: Plan },
  rows: readonly SummaryRow[],
): Table {
  const isSaturated = rows.some((row) => row.saturated !== undefined);
  const columns = cellColumns(sweep, { isSaturated, analyses: plan.analyses });
  const flat = rows.map(flatRow);
  const values = Object.fromEntries(
    Object.entries(columns).map(([name, { type }]) => [
      name,
      flat.map((row): Value => (type === "string" ? String(row[name]) : (row[name] as Value))),
    ]),
  );
  return { columns, blocks: [{ rows: rows.length, values }] };
}
