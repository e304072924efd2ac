/** Finds out which tiles of a field are stored. Only reads. */
import { join } from "node:path";
import { isFolder, kindAt, namesIn, readOrNull, sizeOf } from "./entries.ts";
import type { FieldDescription } from "./field-zarr.ts";
import { chunkBytes, chunkName, FIELD_ARRAYS, tilesPerSide } from "./field-zarr.ts";
import { isChunkIntact } from "./zarr-crc32c.ts";

/** The tiles whose three chunks are all stored and intact; and whether there is any chunk, intact or not. */
export function findTiles(
  path: string,
  field: FieldDescription,
  { thorough, damaged }: { thorough: boolean; damaged: string[] },
): { tiles: Uint8Array<ArrayBuffer>; hasChunks: boolean } {
  const side = tilesPerSide(field);
  const tiles = new Uint8Array(side ** 2).fill(1);
  let hasChunks = false;
  for (const array of FIELD_ARRAYS) {
    const folder = join(path, array);
    const isThere = isFolder(kindAt(folder), array, damaged);
    const names = new Set(isThere ? namesIn(folder) : []);
    const expected = chunkBytes(field, array);
    for (let i = 0; i < tiles.length; i++) {
      const name = chunkName(field, array, { row: Math.floor(i / side), column: i % side });
      if (!names.has(name)) {
        tiles[i] = 0;
        continue;
      }
      hasChunks = true;
      const file = join(folder, name);
      const isWhole = thorough
        ? isIntact(readOrNull(file, expected), expected)
        : sizeOf(file) === expected;
      if (isWhole) continue;
      tiles[i] = 0;
      damaged.push(`${array}/${name}`);
    }
  }
  return { tiles, hasChunks };
}

function isIntact(chunk: Buffer | null, expectedBytes: number): boolean {
  return chunk?.length === expectedBytes && isChunkIntact(chunk);
}
