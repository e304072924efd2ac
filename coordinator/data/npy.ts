/** Reads arrays of NumPy: NPY (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html) and, of several, NPZ. */
import { unzipSync } from "fflate";
import type { Column, Table } from "./table.ts";
import { DataError } from "./table.ts";

interface NumpyArray {
  readonly shape: readonly number[];
  /** In C order. */
  readonly values: Float64Array;
}

const MAGIC = "\x93NUMPY";

/** By NumPy's names of little-endian types, and of types of one byte. */
const TYPES: Readonly<
  Record<string, { bytes: number; read: (view: DataView, at: number) => number }>
> = {
  "<f8": { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  "<f4": { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  "<i8": { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  "<u8": { bytes: 8, read: (view, at) => Number(view.getBigUint64(at, true)) },
  "<i4": { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  "<u4": { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  "<i2": { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  "<u2": { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  "|i1": { bytes: 1, read: (view, at) => view.getInt8(at) },
  "|u1": { bytes: 1, read: (view, at) => view.getUint8(at) },
  "|b1": { bytes: 1, read: (view, at) => view.getUint8(at) },
};

/** The columns of a matrix, named by their numbers from 0. @throws DataError */
export function readNpy(file: string, bytes: Uint8Array): Table {
  const { shape, values } = parseNpy(file, bytes);
  if (shape.length !== 2) {
    const found = `shape (${shape.join(", ")})`;
    throw new DataError(file, [{ place: "", expected: "a matrix [samples, columns]", found }]);
  }
  return tableOf(columnsOf("", { shape, values }), shape[0]!);
}

/**
 * The columns of all arrays, whose first dimension is that of the samples. A vector is a column of its name; of another array,
 * such as `x`, they are `x.0`, `x.1`, …, and `x` means all of them.
 *
 * @throws DataError
 */
export function readNpz(file: string, bytes: Uint8Array): Table {
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes);
  } catch (error) {
    const found = (error as Error).message;
    throw new DataError(file, [{ place: "", expected: "an NPZ file (a zip of NPY files)", found }]);
  }
  const arrays = Object.entries(files).map(([name, content]) => {
    return [name.replace(/\.npy$/, ""), parseNpy(`${file}/${name}`, content)] as const;
  });
  const rows = arrays[0]?.[1].shape[0] ?? 0;
  const faults = arrays.flatMap(([name, { shape }]) => {
    if (shape.length > 0 && shape[0] === rows) return [];
    const expected = `${rows} samples, as array ${arrays[0]![0]} has`;
    return [{ place: `array ${name}`, expected, found: `shape (${shape.join(", ")})` }];
  });
  if (faults.length > 0) throw new DataError(file, faults);
  return tableOf(
    arrays.flatMap(([name, array]) => columnsOf(name, array)),
    rows,
  );
}

function tableOf(columns: readonly Column[], rows: number): Table {
  return { rows, columns, place: (row) => `sample ${row} (from 0)` };
}

function columnsOf(name: string, { shape, values }: NumpyArray): Column[] {
  const rows = shape[0]!;
  const width = values.length / rows;
  if (shape.length === 1) return [{ name, values }];
  return Array.from({ length: width }, (_, j) => ({
    name: name === "" ? String(j) : `${name}.${j}`,
    values: Float64Array.from({ length: rows }, (__, i) => values[i * width + j]!),
  }));
}

function parseNpy(file: string, bytes: Uint8Array): NumpyArray {
  const refuse = (place: string, expected: string, found: string): never => {
    throw new DataError(file, [{ place, expected, found }]);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (from: number, to: number) =>
    Buffer.from(bytes.subarray(from, to)).toString("latin1");
  if (bytes.length < 12 || text(0, 6) !== MAGIC) {
    refuse("byte 0", "an NPY file, which begins with \\x93NUMPY", `${bytes.length} other bytes`);
  }
  const isFirst = view.getUint8(6) === 1;
  const start = (isFirst ? 10 : 12) + (isFirst ? view.getUint16(8, true) : view.getUint32(8, true));
  const header = text(isFirst ? 10 : 12, start);
  const dtype = /'descr': '([^']+)'/.exec(header)?.[1] ?? "a structure";
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? "").match(/\d+/g)?.map(Number) ?? [];
  const type = TYPES[dtype];
  if (type === undefined) {
    return refuse("dtype", `numbers (one of ${Object.keys(TYPES).join(", ")})`, dtype);
  }
  if (/'fortran_order': True/.test(header)) {
    refuse("order", "an array in C order (numpy.ascontiguousarray)", "Fortran order");
  }
  const count = shape.reduce((product, length) => product * length, 1);
  const expected = start + count * type.bytes;
  if (bytes.length !== expected) {
    refuse(
      `byte ${Math.min(bytes.length, expected)}`,
      `${expected} bytes for shape (${shape.join(", ")})`,
      String(bytes.length),
    );
  }
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = type.read(view, start + i * type.bytes);
  return { shape, values };
}
