/** Reads CSV files with a line of names. */
import { CsvError, parse } from "csv-parse/sync";
import type { Column, DataFault, Table } from "./table.ts";
import { DataError, MOST_FAULTS } from "./table.ts";

/** @throws DataError with every ragged line, up to `MOST_FAULTS`. */
export function readCsv(file: string, bytes: Uint8Array): Table {
  const [first, ...rows] = recordsOf(file, bytes);
  if (first === undefined) {
    throw new DataError(file, [{ place: "", expected: "a line of names", found: "nothing" }]);
  }
  const names = first.record.map((name) => name.trim());
  const faults: DataFault[] = [];
  names.forEach((name, i) => {
    if (names.indexOf(name) === i && name !== "") return;
    const found = name === "" ? "an empty name" : `\`${name}\` again`;
    faults.push({ place: `line 1, column ${i + 1}`, expected: "each name once", found });
  });
  for (const { record, line } of rows) {
    if (record.length === names.length || faults.length >= MOST_FAULTS) continue;
    const expected = `${names.length} values, as names in line 1`;
    faults.push({ place: `line ${line}`, expected, found: String(record.length) });
  }
  if (faults.length > 0) throw new DataError(file, faults);
  const columns = names.map(
    (name, i): Column => ({ name, values: rows.map(({ record }) => record[i]!.trim()) }),
  );
  return { rows: rows.length, columns, place: (row) => `line ${rows[row]!.line}` };
}

interface CsvRecord {
  readonly record: readonly string[];
  /** Where it begins, from 1. */
  readonly line: number;
}

function recordsOf(file: string, bytes: Uint8Array): CsvRecord[] {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new DataError(file, [{ place: "", expected: "UTF-8", found: "other bytes" }]);
  }
  const delimiter = /^[^\n]*\t/.test(text) ? "\t" : /^[^\n,]*;/.test(text) ? ";" : ",";
  try {
    const options = { delimiter, info: true, relax_column_count: true, skip_empty_lines: true };
    const found = parse(text, options) as unknown as {
      record: string[];
      info: { lines: number };
    }[];
    return found.map(({ record, info }) => {
      const breaks = record.reduce((sum, value) => sum + value.split("\n").length - 1, 0);
      return { record, line: info.lines - breaks };
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const place = `line ${(error as CsvError & { lines?: number }).lines ?? 1}`;
    throw new DataError(file, [{ place, expected: "CSV", found: error.message }]);
  }
}
