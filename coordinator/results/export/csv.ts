import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { csvLine } from "../csv-line.ts";
import type { Table } from "./table.ts";

/** Writes a table as CSV: null is an empty cell, not a number is `NaN`. */
export async function writeCsv(path: string, table: Table): Promise<void> {
  await pipeline(csvText(table), createWriteStream(path));
}

async function* csvText({ columns, blocks }: Table): AsyncGenerator<string> {
  const names = Object.keys(columns);
  yield `${csvLine(names)}\n`;
  for await (const { rows, values } of blocks) {
    const inOrder = names.map((name) => values[name]!);
    let text = "";
    for (let row = 0; row < rows; row++) {
      text += `${csvLine(inOrder.map((column) => column[row]))}\n`;
    }
    yield text;
  }
}
