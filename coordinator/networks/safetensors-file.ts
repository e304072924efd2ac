/** The tensors of a safetensors file (https://github.com/huggingface/safetensors#format), whatever they are. */
import { z } from "zod";
import { DataError, type DataFault } from "../data/table.ts";
import { FLOAT_BYTES, isFloatType } from "./float-values.ts";

export interface Tensor {
  readonly name: string;
  /** As the format names it, such as `F32`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export interface SafetensorsFile {
  /** In the order of their bytes. */
  readonly tensors: readonly Tensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

const SIZE = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const ENTRY = z.object({
  dtype: z.string(),
  shape: z.array(SIZE),
  data_offsets: z.tuple([SIZE, SIZE]),
});
type Entry = readonly [name: string, entry: z.infer<typeof ENTRY>];

/** @throws DataError if it is cut off or damaged. */
export function readSafetensors(file: string, bytes: Uint8Array): SafetensorsFile {
  const start = 8 + new DataView(bytes.buffer, bytes.byteOffset, 8).getUint32(0, true);
  if (start > bytes.length) {
    const expected = `${start} bytes of length and header`;
    throw new DataError(file, [{ place: "header", expected, found: cutOff(bytes.length) }]);
  }
  const { __metadata__: metadata = {}, ...header } = parseHeader(file, bytes.subarray(8, start));
  const { entries, faults } = parseEntries(header);
  if (!isTexts(metadata)) {
    faults.push({ place: "__metadata__", expected: "texts by name", found: short(metadata) });
  }
  if (faults.length === 0) faults.push(...extentFaults(entries, bytes.length - start));
  if (faults.length > 0) throw new DataError(file, faults);
  const tensors = entries.map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [from, to],
      },
    ]) => {
      return { name, dtype, shape, bytes: bytes.subarray(start + from, start + to) };
    },
  );
  return { tensors, metadata: metadata as Record<string, string> };
}

function parseHeader(file: string, bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    const found = `${(error as Error).message}: damaged, or of another format`;
    throw new DataError(file, [{ place: "header", expected: "JSON", found }]);
  }
  // It begins with a brace, hence is an object.
  return header as Record<string, unknown>;
}

function parseEntries(header: Record<string, unknown>): { entries: Entry[]; faults: DataFault[] } {
  const entries: Entry[] = [];
  const faults: DataFault[] = [];
  for (const [name, value] of Object.entries(header)) {
    const parsed = ENTRY.safeParse(value);
    if (parsed.success) entries.push([name, parsed.data]);
    else {
      const expected = "a dtype, a shape, and data_offsets of begin and end";
      faults.push({ place: `tensor ${name}`, expected, found: short(value) });
    }
  }
  entries.sort(([, a], [, b]) => {
    return a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1];
  });
  return { entries, faults };
}

/** The format wants tensors that follow one another without gaps, up to the end of the file. */
function extentFaults(entries: readonly Entry[], length: number): DataFault[] {
  const faults: DataFault[] = [];
  let end = 0;
  for (const [name, { dtype, shape, data_offsets: offsets }] of entries) {
    const [from, to] = offsets;
    const count = shape.reduce((product, size) => product * size, 1);
    const size = isFloatType(dtype) ? count * FLOAT_BYTES[dtype] : to - from;
    if (from !== end || to - from !== size || to < from) {
      const expected = `data_offsets [${end}, ${end + size}], after the tensor before it and of ${dtype} [${shape.join(", ")}]`;
      faults.push({ place: `tensor ${name}`, expected, found: `[${offsets.join(", ")}]` });
    }
    end = to;
  }
  if (faults.length === 0 && end !== length) {
    const found = length < end ? cutOff(length) : `${length}`;
    faults.push({ place: "", expected: `${end} bytes of tensors after the header`, found });
  }
  return faults;
}

function isTexts(value: unknown): boolean {
  return z.record(z.string(), z.string()).safeParse(value).success;
}

function cutOff(bytes: number): string {
  return `${bytes}: the file is cut off`;
}

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
