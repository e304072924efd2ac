/** An analysis' arrays as a Zarr v3 group, each of one chunk. */
import { endianness } from "node:os";
import { join } from "node:path";
import type { Analysis, ArrayDescription, FoundArray } from "../../shared/analyses/analysis.ts";
import type { Snapshot } from "../../shared/cell.ts";
import { StoreError } from "../../shared/errors.ts";
import type { AnalysisResult } from "../../shared/messages.ts";
import type { Files } from "./field-zarr.ts";
import { readIfThere } from "./files.ts";
import { seal } from "./sealed-json.ts";
import { consolidatedGroup } from "./zarr-consolidated.ts";
import { CHECKSUM_BYTES, isChunkIntact, sealedChunk } from "./zarr-crc32c.ts";

if (endianness() !== "LE") throw new Error("expected a little-endian machine");

/** What the attributes of an analysis' group say. */
export interface AnalysisAttributes {
  readonly cell: string;
  readonly snapshot: Snapshot;
  /** Digest of the weights that it is of. */
  readonly weights: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** Every file of the group; none if the analysis has no arrays. */
export function analysisFiles(
  { name, version, arrays }: Pick<Analysis, "name" | "version" | "arrays">,
  attributes: AnalysisAttributes,
  result: Pick<AnalysisResult, "arrays" | "values">,
): Files {
  const files: Files = new Map();
  if (arrays.length === 0) return files;
  const found = arraysIn(result);
  const metadata = arrays.map((array) => {
    return [array.name, arrayMetadata(array, found[array.name]!.shape)] as const;
  });
  for (const [array, json] of metadata) {
    const { shape, values } = found[array]!;
    files.set(`${array}/zarr.json`, json);
    const chunk = sealedChunk(values.byteLength + CHECKSUM_BYTES, (to) => to.set(values));
    if (values.length > 0) files.set(`${array}/${chunkOf(shape)}`, chunk);
  }
  files.set(
    "zarr.json",
    consolidatedGroup(seal({ analysis: name, version, ...attributes }), metadata),
  );
  return files;
}

/** The arrays of a result, by name. */
export function arraysIn({
  arrays,
  values,
}: Pick<AnalysisResult, "arrays" | "values">): Record<string, FoundArray> {
  let at = 0;
  const found = arrays.map(({ name, shape }) => {
    const length = shape.reduce((a, b) => a * b, 1);
    at += length;
    return [name, { shape, values: values.subarray(at - length, at) }] as const;
  });
  return Object.fromEntries(found);
}

/** An empty array has no chunk; the format asks for chunks of one element at least. */
function arrayMetadata(
  { dimensions, unit, doc }: ArrayDescription,
  shape: readonly number[],
): Uint8Array {
  const metadata = {
    zarr_format: 3,
    node_type: "array",
    shape,
    data_type: "float32",
    chunk_grid: {
      name: "regular",
      configuration: { chunk_shape: shape.map((length) => Math.max(1, length)) },
    },
    chunk_key_encoding: { name: "default", configuration: { separator: "." } },
    fill_value: "NaN",
    codecs: [
      { name: "bytes", configuration: { endian: "little" } },
      { name: "crc32c", configuration: {} },
    ],
    dimension_names: dimensions,
    attributes: { long_name: doc, ...(unit === undefined ? {} : { units: unit }) },
  };
  return Buffer.from(JSON.stringify(metadata, null, 2));
}

/**
 * A stored array with its shape.
 * @throws StoreError if it is missing or damaged.
 */
export async function readAnalysisArray(folder: string, name: string): Promise<FoundArray> {
  const path = join(folder, name);
  try {
    const json = await readIfThere(`${path}/zarr.json`);
    const { shape } = JSON.parse(String(json)) as { shape: number[] };
    const length = shape.reduce((a, b) => a * b, 1);
    if (length === 0) return { shape, values: new Float32Array() };
    const chunk = await readIfThere(`${path}/${chunkOf(shape)}`);
    const bytes = length * Float32Array.BYTES_PER_ELEMENT;
    if (chunk?.length !== bytes + CHECKSUM_BYTES || !isChunkIntact(chunk)) {
      throw new TypeError("its checksum does not match");
    }
    return { shape, values: new Float32Array(new Uint8Array(chunk.subarray(0, bytes)).buffer) };
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new StoreError(`cannot read ${path}: ${reason}; \`ftle resume\` rewrites damaged files`, {
      path,
      cause,
    });
  }
}

function chunkOf(shape: readonly number[]): string {
  return ["c", ...shape.map(() => 0)].join(".");
}
