/** A field as a Zarr v3 group: `lambda1`, `direction`, `output` and the coordinates `x`, `y`. */
import { join } from "node:path";
import * as zarr from "zarrita";
import type { FieldGrid, Snapshot } from "../../shared/cell.ts";
import { StoreError } from "../../shared/errors.ts";
import type { FieldResult, FieldTask } from "../../shared/messages.ts";
import { readIfThere, readTextIfThere } from "./files.ts";
import { unseal } from "./sealed-json.ts";
import { CHECKSUM_BYTES, sealedChunk } from "./zarr-crc32c.ts";

export type FieldArray = "lambda1" | "lambda2" | "planeLambda1" | "direction" | "output";

/** The arrays of a field over such a grid. */
export function arraysOf({ plane }: Pick<FieldGrid, "plane">): readonly FieldArray[] {
  return plane === undefined ? OF_TWO_INPUTS : OF_PLANE;
}

const OF_TWO_INPUTS = ["lambda1", "direction", "output"] as const;
const OF_PLANE = ["lambda1", "lambda2", "planeLambda1", "direction", "output"] as const;

/** Everything that determines the bytes of a field's metadata. */
export interface FieldDescription {
  readonly cell: string;
  readonly snapshot: Snapshot;
  /** Digest of the weights it is computed from. */
  readonly weights: string;
  readonly grid: FieldGrid;
  /** Depth L of the network: how many layers there are with `layers: all`. */
  readonly depth: number;
  /** Side of the square tiles, in points; one chunk each. */
  readonly tile: number;
}

/** Files by their path below the group. */
export type Files = Map<string, Uint8Array>;

export function tilesPerSide({ grid, tile }: FieldDescription): number {
  return Math.ceil(grid.points / tile);
}

/** Bytes of one chunk of an array; edge chunks are padded, so all have the same length. */
export function chunkBytes(field: FieldDescription, array: FieldArray): number {
  const layers = array === "output" ? 1 : layerCount(field);
  return layers * field.tile ** 2 * Float32Array.BYTES_PER_ELEMENT + CHECKSUM_BYTES;
}

/** Counted in tiles. */
interface TilePlace {
  readonly row: number;
  readonly column: number;
}

export function chunkPath(field: FieldDescription, array: string, place: TilePlace): string {
  return `${array}/${chunkName(field, array, place)}`;
}

export function chunkName(
  field: FieldDescription,
  array: string,
  { row, column }: TilePlace,
): string {
  const layer = field.grid.layers === "all" && array !== "output" ? "0." : "";
  return `c.${layer}${row}.${column}`;
}

type TileArrays = Pick<FieldResult, FieldArray>;

/** A tile's chunk of each array, by their paths; each is made when it is asked for. */
export function tileChunks(
  field: FieldDescription,
  tile: FieldTask["tile"],
  result: TileArrays,
): Map<string, () => Uint8Array> {
  const place = { row: tile.row / field.tile, column: tile.column / field.tile };
  return new Map(
    arraysOf(field.grid).map((name) => {
      const bytes = chunkBytes(field, name);
      const make = () =>
        sealedChunk(bytes, (values) => fillChunk(values, result[name]!, { field, tile }));
      return [chunkPath(field, name, place), make];
    }),
  );
}

/** A tile's chunk of each array. */
export function tileFiles(
  field: FieldDescription,
  tile: FieldTask["tile"],
  result: TileArrays,
): Files {
  const chunks = [...tileChunks(field, tile, result)];
  return new Map(chunks.map(([path, make]) => [path, make()]));
}

/** Lays a tile's values, [layers, rows, columns], in a chunk's; what an edge tile does not cover is NaN. */
function fillChunk(
  values: Float32Array,
  from: Float32Array,
  { field, tile }: { field: FieldDescription; tile: FieldTask["tile"] },
): void {
  if (tile.rows === field.tile && tile.columns === field.tile) {
    values.set(from);
    return;
  }
  values.fill(Number.NaN);
  const rows = from.length / tile.columns; // of all layers
  for (let row = 0; row < rows; row++) {
    const layer = Math.floor(row / tile.rows);
    const to = (layer * field.tile + (row % tile.rows)) * field.tile;
    values.set(from.subarray(row * tile.columns, (row + 1) * tile.columns), to);
  }
}

/**
 * A whole array of a stored field; missing tiles are NaN.
 * @throws StoreError if a chunk is damaged.
 */
export async function readFieldArray(folder: string, name: string): Promise<Float32Array> {
  try {
    const metadata = await arrayMetadata(folder, name);
    const get = async (key: string) => {
      if (key.endsWith("/zarr.json") && metadata !== null) return metadata;
      return (await readIfThere(join(folder, key))) ?? undefined;
    };
    const location = zarr.root({ get }).resolve(name);
    const array = await zarr.open.v3(location, { kind: "array" });
    if (!array.is("float32")) throw new TypeError("it is not float32");
    return (await zarr.get(array)).data;
  } catch (cause) {
    const path = join(folder, name);
    throw new StoreError(
      `cannot read ${path}: ${(cause as Error).message}; \`ftle resume\` rewrites damaged files`,
      { path, cause },
    );
  }
}

/** From the group's copy: the array's own `zarr.json` may be a link, and links are not followed. */
async function arrayMetadata(folder: string, name: string): Promise<Uint8Array | null> {
  const group = JSON.parse(String((await readTextIfThere(join(folder, "zarr.json"))) ?? "{}"));
  const metadata = group.consolidated_metadata?.metadata?.[name];
  return metadata === undefined ? null : Buffer.from(JSON.stringify(metadata));
}

/**
 * What a stored group's attributes contain: its tile side and the digest of the weights it was computed
 * from; null if its metadata is damaged.
 */
export function readAttributes(groupJson: Uint8Array): { tile: number; weights: string } | null {
  try {
    const content = unseal(JSON.parse(Buffer.from(groupJson).toString()).attributes);
    const tile = Number(content?.tile);
    const isWhole = content !== null && Number.isInteger(tile) && tile >= 1;
    return isWhole ? { tile, weights: String(content.weights) } : null;
  } catch {
    return null; // a damaged file is an expected finding, reported by the caller
  }
}

function layerCount({ grid, depth }: FieldDescription): number {
  return grid.layers === "all" ? depth : 1;
}
