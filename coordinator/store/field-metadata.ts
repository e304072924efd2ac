/**
 * The metadata and coordinates of a field's Zarr group. All fields over one grid with the same tiles share them, but for
 * the group's own attributes: they are stored once, in a folder beside the cells, and each field links to them.
 */
import { createHash } from "node:crypto";
import { dirname, relative } from "node:path/posix";
import * as zarr from "zarrita";
import { gridCoordinates } from "../../shared/numerics/grid.ts";
import type { FieldDescription, Files } from "./field-zarr.ts";
import { arraysOf } from "./field-zarr.ts";
import { fieldFolder, gridFolder } from "./layout.ts";
import { seal } from "./sealed-json.ts";
import type { Link } from "./write-files.ts";
import { groupOver } from "./zarr-consolidated.ts";
import "./zarr-crc32c.ts"; // registers the codec

/** What the fields of one grid, tile side and number of layers have in common. */
export interface SharedMetadata {
  /** Digest of the files: the name of the folder that holds them. */
  readonly key: string;
  /** By their path in the folder, which is the path in a field's group: of arrays, and of whole coordinates. */
  readonly files: Files;
  /**
   * The links of a field's group to these files, by their path in the group: of each coordinate's folder, and of each
   * array's `zarr.json`.
   */
  readonly links: ReadonlyMap<string, Link>;
  /** The group's `zarr.json`, with a copy of its arrays' metadata. */
  groupOf(attributes: Readonly<Record<string, unknown>>): Uint8Array;
}

/** The group's `zarr.json`: its attributes, sealed, and a copy of its arrays' metadata. */
export function groupMetadata(field: FieldDescription, { groupOf }: SharedMetadata): Uint8Array {
  const { cell, snapshot, weights, depth, tile } = field;
  return groupOf(seal({ cell, snapshot, weights, depth, tile }));
}

/** Every file of a field but its tiles, without links: as stores of version 0.1.0 have them. */
export async function fieldMetadata(field: FieldDescription): Promise<Files> {
  const shared = await sharedMetadata(field);
  return new Map([...shared.files, ["zarr.json", groupMetadata(field, shared)]]);
}

const known = new Map<string, SharedMetadata>();
/** A sweep has one grid, and few sides of tiles and depths. */
const MOST_KNOWN = 1000;

export async function sharedMetadata(field: FieldDescription): Promise<SharedMetadata> {
  const { grid, tile, depth } = field;
  const name = JSON.stringify([grid, tile, grid.layers === "all" ? depth : 0]);
  let shared = known.get(name);
  if (shared === undefined) {
    if (known.size >= MOST_KNOWN) known.clear();
    shared = await makeSharedMetadata(field);
    known.set(name, shared);
  }
  return shared;
}

async function makeSharedMetadata(field: FieldDescription): Promise<SharedMetadata> {
  const files: Files = new Map();
  const root = zarr.root(storeOver(files));
  const { points, layers, region } = field.grid;
  const layered = layers === "all";
  for (const array of arraysOf(field.grid)) {
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
  const key = keyOf(files);
  const names = Object.keys(coordinates);
  const metadataOf = (name: string) => [name, files.get(`${name}/zarr.json`)!] as const;
  const groupOf = groupOver([...arraysOf(field.grid), ...names].map(metadataOf));
  return { key, files, links: linksTo(key, [...arraysOf(field.grid)], names), groupOf };
}

/** 64 bits of the digest of all paths and contents. */
function keyOf(files: Files): string {
  const hash = createHash("sha256");
  for (const [path, bytes] of files) hash.update(`${path}\n${bytes.length}\n`).update(bytes);
  return hash.digest("hex").slice(0, 16);
}

function linksTo(
  key: string,
  arrays: readonly string[],
  coordinates: readonly string[],
): Map<string, Link> {
  const paths = [...arrays.map((array) => `${array}/zarr.json`), ...coordinates];
  const folder = fieldFolder("cell", "end", "id"); // as deep as any
  return new Map(
    paths.map((path) => {
      const from = dirname(`${folder}/${path}`);
      return [path, { linkTo: relative(`/${from}`, `/${gridFolder(key)}/${path}`) }];
    }),
  );
}

const CODECS = [
  { name: "bytes", configuration: { endian: "little" } },
  { name: "crc32c", configuration: {} },
];

const ARRAY_ATTRIBUTES = {
  lambda1: { long_name: "finite-time Lyapunov exponent (1/l) ln σ_max(J_l)", units: "1/layer" },
  lambda2: { long_name: "second exponent (1/L) ln σ_2(J_L)", units: "1/layer" },
  planeLambda1: { long_name: "largest exponent within the plane", units: "1/layer" },
  direction: { long_name: "angle of maximal stretching in the input plane", units: "radian" },
  output: { long_name: "activation of the first output neuron" },
};

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
