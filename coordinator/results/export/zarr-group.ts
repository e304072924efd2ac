import { FileSystemStore } from "@zarrita/storage";
import * as zarr from "zarrita";
import { consolidatedGroup } from "../../store/zarr-consolidated.ts";
import "../../store/zarr-crc32c.ts";
import type { Column } from "./table.ts";
import "./zarr-strings.ts";

/** A Zarr v3 group that is being written, as a new folder. */
export interface ZarrGroup {
  /** Makes an array whose chunks are still to be set; chunks that are never set take no space. */
  create(name: string, options: ArrayOptions): Promise<ZarrArray>;
  /** Makes an array of one chunk with these values, in row-major order. */
  add(name: string, options: ArrayOptions, values: readonly (string | number)[]): Promise<void>;
  /** Writes the group's own metadata, which include a copy of its arrays'. */
  finish(attributes: Readonly<Record<string, string>>): Promise<void>;
}

export interface ArrayOptions {
  /** What the array contains. */
  readonly column: Omit<Column, "isNullable">;
  readonly dimensions: readonly string[];
  readonly shape: readonly number[];
  /** Default: one chunk. */
  readonly chunk?: readonly number[];
}

export type ZarrArray = zarr.Array<zarr.DataType, FileSystemStore>;

export function zarrGroup(folder: string): ZarrGroup {
  const store = new FileSystemStore(folder);
  const root = zarr.root(store);
  const names: string[] = [];
  const create: ZarrGroup["create"] = async (name, { column, dimensions, shape, chunk }) => {
    const { type, longName, units } = column;
    names.push(name);
    return await zarr.create<FileSystemStore, zarr.DataType>(root.resolve(name), {
      dtype: type,
      shape: [...shape],
      chunkShape: [...(chunk ?? shape)],
      dimensionNames: [...dimensions],
      fillValue: FILL_VALUES[type],
      codecs: [type === "string" ? STRINGS : NUMBERS, CHECKSUM],
      chunkSeparator: ".",
      attributes: { long_name: longName, ...(units === undefined ? {} : { units }) },
    });
  };

  return {
    create,

    async add(name, options, values) {
      const array = await create(name, options);
      await zarr.set(array, null, chunkOf(typed(options.column.type, values), options.shape));
    },

    async finish(attributes) {
      const arrays: [string, Uint8Array][] = [];
      for (const name of names) arrays.push([name, (await store.get(`/${name}/zarr.json`))!]);
      await store.set("/zarr.json", consolidatedGroup(attributes, arrays));
    },
  };
}

/** Values in row-major order as zarrita takes them. */
export function chunkOf<T>(data: T, shape: readonly number[]) {
  const stride = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  return { data, shape: [...shape], stride };
}

const NUMBERS = { name: "bytes", configuration: { endian: "little" } };
const STRINGS = { name: "vlen-utf8", configuration: {} };
const CHECKSUM = { name: "crc32c", configuration: {} };

/** Also a number for int64: JSON has no bigint. */
const FILL_VALUES: Readonly<Record<Column["type"], string | number>> = {
  string: "",
  int64: 0,
  float64: Number.NaN,
  float32: Number.NaN,
};

function typed(type: Column["type"], values: readonly (string | number)[]) {
  if (type === "string") return values.map(String);
  if (type === "int64") return BigInt64Array.from(values, BigInt);
  return type === "float64" ? Float64Array.from(values, Number) : Float32Array.from(values, Number);
}
