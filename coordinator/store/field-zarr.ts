/** A field as a Zarr v3 group: `lambda1`, `direction`, `output` and the coordinates `x`, `y`. */
import { join } from "node:path";
import * as zarr from "zarrita";
import type { FieldGrid, Snapshot } from "../../shared/cell.ts";
import { StoreError } from "../../shared/errors.ts";
import type { FieldResult, FieldTask } from "../../shared/messages.ts";
import { gridCoordinates } from "../../shared/numerics/grid.ts";
import { readIfThere } from "./files.ts";
import { seal, unseal } from "./sealed-json.ts";
import { consolidatedGroup } from "./zarr-consolidated.ts";
import { CHECKSUM_BYTES, sealedChunk } from "./zarr-crc32c.ts";

export const FIELD_ARRAYS = ["lambda1", "direction", "output"] as const;

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
export function chunkBytes(field: FieldDescription, array: (typeof FIELD_ARRAYS)[number]): number {
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

/** Every file of a field except its tiles: groups, arrays, coordinates. */
export async function fieldMetadata(field: FieldDescription): Promise<Files> {
  const files: Files = new Map();
  const root = zarr.root(storeOver(files));
  const { points, layers, region } = field.grid;
  const layered = layers === "all";
  for (const array of FIELD_ARRAYS) {
    const hasLayers = layered && array !== "output";
    await zarr.create(root.resolve(array), {
      dtype: "float32",
      shape: [...(hasLayers ? [field.depth] : []), points, points],
      chunkShape: [...(hasLayers ? [field.depth] : []), field.tile, field.tile],
      dimensionNames: [...(hasLayers ? ["layer"] : []), "y", "x"],
      fillValue: Number.NaN,
      codecs: CODECS,
      chunkSeparator: ".",
      attributes: ARRAY_ATTRIBUTES[array],
    });
  }
  const coordinates: Record<string, Float64Array> = {
    x: gridCoordinates(region.x, points),
    y: gridCoordinates(region.y, points),
    ...(layered ? { layer: Float64Array.from({ length: field.depth }, (_, l) => l + 1) } : {}),
  };
  for (const [name, values] of Object.entries(coordinates)) {
    const array = await zarr.create(root.resolve(name), {
      dtype: "float64",
      shape: [values.length],
      chunkShape: [values.length],
      dimensionNames: [name],
      fillValue: Number.NaN,
      codecs: CODECS,
      chunkSeparator: ".",
    });
    await zarr.set(array, null, { data: values, shape: [values.length], stride: [1] });
  }
  const arrays = [...FIELD_ARRAYS, ...Object.keys(coordinates)];
  const metadataOf = (name: string) => [name, files.get(`${name}/zarr.json`)!] as const;
  files.set("zarr.json", consolidatedGroup(attributesOf(field), arrays.map(metadataOf)));
  return files;
}

/** The three chunks of one tile. */
export function tileFiles(
  field: FieldDescription,
  tile: FieldTask["tile"],
  result: Pick<FieldResult, (typeof FIELD_ARRAYS)[number]>,
): Files {
  const place = { row: tile.row / field.tile, column: tile.column / field.tile };
  return new Map(
    FIELD_ARRAYS.map((name) => {
      const chunk = sealedChunk(chunkBytes(field, name), (values) => {
        if (tile.rows < field.tile || tile.columns < field.tile) values.fill(Number.NaN);
        const rows = result[name].length / tile.columns; // of all layers
        for (let row = 0; row < rows; row++) {
          const layer = Math.floor(row / tile.rows);
          const to = (layer * field.tile + (row % tile.rows)) * field.tile;
          values.set(result[name].subarray(row * tile.columns, (row + 1) * tile.columns), to);
        }
      });
      return [chunkPath(field, name, place), chunk];
    }),
  );
}

/**
 * A whole array of a stored field; missing tiles are NaN.
 * @throws StoreError if a chunk is damaged.
 */
export async function readFieldArray(folder: string, name: string): Promise<Float32Array> {
  try {
    const get = async (key: string) => (await readIfThere(join(folder, key))) ?? undefined;
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

const CODECS = [
  { name: "bytes", configuration: { endian: "little" } },
  { name: "crc32c", configuration: {} },
];

const ARRAY_ATTRIBUTES = {
  lambda1: { long_name: "finite-time Lyapunov exponent (1/l) ln σ_max(J_l)", units: "1/layer" },
  direction: { long_name: "angle of maximal stretching in the input plane", units: "radian" },
  output: { long_name: "activation of the first output neuron" },
};

function attributesOf(field: FieldDescription): Record<string, unknown> {
  const { cell, snapshot, weights, depth, tile } = field;
  return seal({ cell, snapshot, weights, depth, tile });
}

function layerCount({ grid, depth }: FieldDescription): number {
  return grid.layers === "all" ? depth : 1;
}

/** A zarrita store over a map of files. */
function storeOver(files: Files) {
  return {
    async get(key: `/${string}`) {
      return files.get(key.slice(1));
    },
    async set(key: `/${string}`, value: Uint8Array) {
      files.set(key.slice(1), value);
    },
  };
}
