import { join } from "node:path";
import type { CellRecord } from "./cell-record.ts";
import { readCellRecord } from "./cell-record.ts";
import { readOrNull } from "./entries.ts";
import { MOST_TEXT_BYTES } from "./files.ts";
import { cellJson } from "./layout.ts";

/** A cell's record; null if it is missing or damaged. */
export function readRecord(directory: string, cell: string): CellRecord | null {
  const text = readOrNull(join(directory, cellJson(cell)), MOST_TEXT_BYTES);
  return text === null ? null : readCellRecord(text.toString());
}
