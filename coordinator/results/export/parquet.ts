import type { BasicType } from "hyparquet-writer";
import { fileWriter, ParquetWriter, schemaFromColumnData } from "hyparquet-writer";
import { VERSION } from "../../../shared/version.ts";
import type { Column, Table, Value } from "./table.ts";

/** Writes a table as Parquet, one row group for each block. */
export async function writeParquet(path: string, { columns, blocks }: Table): Promise<void> {
  const entries = Object.entries(columns);
  const schema = schemaFromColumnData({
    columnData: entries.map(([name, { type, isNullable }]) => ({
      name,
      type: PARQUET_TYPES[type],
      nullable: isNullable ?? false,
      data: [],
    })),
  });
  const writer = new ParquetWriter({
    writer: fileWriter(path),
    schema,
    createdBy: `ftle-sweeper version ${VERSION}`,
  });
  for await (const { rows, values } of blocks) {
    const columnData = entries.map(([name, { type }]) => ({
      name,
      data: parquetValues(type, values[name]!),
    }));
    await writer.write({ columnData, rowGroupSize: rows });
  }
  await writer.finish();
}

const PARQUET_TYPES: Readonly<Record<Column["type"], BasicType>> = {
  string: "STRING",
  int64: "INT64",
  float64: "DOUBLE",
  float32: "FLOAT",
};

/** The writer takes 64-bit integers as bigint only. */
function parquetValues(type: Column["type"], values: ArrayLike<Value>) {
  if (type !== "int64") return values instanceof Float32Array ? values : Array.from(values);
  return Array.from(values, (value) => (value === null ? null : BigInt(value)));
}
