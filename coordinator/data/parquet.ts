/** Reads Parquet files. */
import { parquetReadObjects } from "hyparquet";
import type { Column, Table } from "./table.ts";
import { DataError } from "./table.ts";

/** @throws DataError */
export async function readParquet(file: string, bytes: Uint8Array): Promise<Table> {
  let rows: Record<string, unknown>[];
  try {
    const buffer = new Uint8Array(bytes).buffer;
    rows = await parquetReadObjects({ file: buffer });
  } catch (error) {
    const found = (error as Error).message;
    throw new DataError(file, [{ place: "", expected: "a Parquet file", found }]);
  }
  const names = Object.keys(rows[0] ?? {});
  const columns = names.map(
    (name): Column => ({ name, values: rows.map((row) => plain(row[name])) }),
  );
  return { rows: rows.length, columns, place: (row) => `row ${row} (from 0)` };
}

/** What CSV would say of it. */
function plain(value: unknown): string | number {
  if (typeof value === "number" || typeof value === "string") return value;
  if (typeof value === "bigint" || typeof value === "boolean") return Number(value);
  return value == null ? "" : String(value);
}
