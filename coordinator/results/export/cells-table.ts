import type { SummaryRow } from "../summary.ts";
import type { Table } from "./table.ts";
import { CELL_COLUMNS } from "./table.ts";

/** The summary as a table: one row for each cell and snapshot. */
export function cellsTable(rows: readonly SummaryRow[]): Table {
  const values = Object.fromEntries(
    (Object.keys(CELL_COLUMNS) as (keyof SummaryRow)[]).map((name) => [
      name,
      rows.map((row) => (name === "snapshot" ? String(row.snapshot) : row[name])),
    ]),
  );
  return { columns: CELL_COLUMNS, blocks: [{ rows: rows.length, values }] };
}
