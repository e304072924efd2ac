import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { Table } from "./table.ts";

/** Writes a table as CSV: null is an empty cell, not a number is `NaN`. */
export async function writeCsv(path: string, table: Table): Promise<void> {
  await pipeline(csvText(table), createWriteStream(path));
}

async function* csvText({ columns, blocks }: Table): AsyncGenerator<string> {
  const names = Object.keys(columns);
  yield `${names.join(",")}\n`;
  for await (const { rows, values } of blocks) {
    const inOrder = names.map((name) => values[name]!);
    let text = "";
    for (let row = 0; row < rows; row++) {
      text += `${inOrder.map((column) => column[row] ?? "").join(",")}\n`;
    }
    yield text;
  }
}
