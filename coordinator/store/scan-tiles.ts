/** Finds out which tiles of a field are stored. Only reads. */
import { join } from "node:path";
import { isFolder, kindAt, namesIn, readOrNull, sizeOf } from "./entries.ts";
import type { FieldDescription } from "./field-zarr.ts";
import { arraysOf, chunkBytes, chunkName, tilesPerSide } from "./field-zarr.ts";
import { isChunkIntact } from "./zarr-crc32c.ts";

/** The tiles whose chunks are all stored and intact; and whether there is any chunk, intact or not. */
export function findTiles(
  path: string,
  field: FieldDescription,
  { thorough, damaged }: { thorough: boolean; damaged: string[] },
): { tiles: Uint8Array<ArrayBuffer>; hasChunks: boolean } {
  const side = tilesPerSide(field);
  const tiles = new Uint8Array(side ** 2).fill(1);
  let hasChunks = false;
  for (const array of arraysOf(field.grid)) {
    const folder = join(path, array);
    const isThere = isFolder(kindAt(folder), array, damaged);
    if (!isThere) {
      tiles.fill(0);
      continue;
    }
    // To look for each of a few files takes less time than to list the folder.
    const names = tiles.length > FEW ? new Set(namesIn(folder)) : null;
    const expected = chunkBytes(field, array);
    for (let i = 0; i < tiles.length; i++) {
      const name = chunkName(field, array, { row: Math.floor(i / side), column: i % side });
      const file = `${folder}/${name}`;
      const found = names?.has(name) === false ? null : chunkAt(file, expected, thorough);
      if (found === null) {
        tiles[i] = 0;
        continue;
      }
      hasChunks = true;
      if (found) continue;
      tiles[i] = 0;
      damaged.push(`${array}/${name}`);
    }
  }
  return { tiles, hasChunks };
}

const FEW = 8;

/** Whether a chunk is as it should be; null if there is nothing at its path. */
function chunkAt(file: string, expectedBytes: number, thorough: boolean): boolean | null {
  if (thorough) {
    const chunk = readOrNull(file, expectedBytes);
    return chunk === null ? null : isIntact(chunk, expectedBytes);
  }
  const size = sizeOf(file);
  return size === null && kindAt(file) === "absent" ? null : size === expectedBytes;
}

function isIntact(chunk: Buffer, expectedBytes: number): boolean {
  return chunk.length === expectedBytes && isChunkIntact(chunk);
}
