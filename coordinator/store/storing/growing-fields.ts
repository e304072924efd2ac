/** The tiles of fields that are not complete yet, so that a field's statistics need not read them back from the disk. */
import type { FieldArrays } from "../field-statistics.ts";
import { tilesPerSide } from "../field-zarr.ts";
import type { TileToStore } from "./requests.ts";

/** By folder, the oldest first. */
export type GrowingFields = Map<string, GrowingField>;

interface GrowingField extends FieldArrays {
  /** For each tile, row by row: 1 if it is there. */
  readonly tiles: Uint8Array;
}

/** The most that a thread keeps: of more fields, the oldest are forgotten, and read from the disk when they are complete. */
const MOST_BYTES = 2 ** 26;

/** Adds a tile of a field that has several. */
export function addToField(fields: GrowingFields, { field, tile, result }: TileToStore): void {
  const { folder, description } = field;
  const side = tilesPerSide(description);
  const { points } = description.grid;
  if (side === 1 || bytesOf(points) > MOST_BYTES) return;
  let growing = fields.get(folder);
  if (growing === undefined) {
    growing = newField(description.grid, side);
    fields.set(folder, growing);
    forgetOldest(fields);
  }
  growing.tiles[(tile.row / description.tile) * side + tile.column / description.tile] = 1;
  const size = tile.rows * tile.columns;
  const last = { lambda1: result.lambda1.subarray(-size), output: result.output };
  for (const name of ["lambda1", "output"] as const) {
    for (let row = 0; row < tile.rows; row++) {
      const values = last[name].subarray(row * tile.columns, (row + 1) * tile.columns);
      growing[name].set(values, (tile.row + row) * points + tile.column);
    }
  }
}

/** The arrays of a field that is complete, which are forgotten; null if not all of its tiles are at hand. */
export function takeField(fields: GrowingFields, request: TileToStore): FieldArrays | null {
  const { folder, description } = request.field;
  if (tilesPerSide(description) === 1) return { ...request.result, grid: description.grid };
  const growing = fields.get(folder);
  fields.delete(folder);
  return growing === undefined || growing.tiles.includes(0) ? null : growing;
}

function newField(grid: FieldArrays["grid"], side: number): GrowingField {
  const values = () => new Float32Array(grid.points ** 2);
  return { lambda1: values(), output: values(), tiles: new Uint8Array(side ** 2), grid };
}

function forgetOldest(fields: GrowingFields): void {
  let bytes = 0;
  for (const { grid } of fields.values()) bytes += bytesOf(grid.points);
  for (const [folder, { grid }] of fields) {
    if (bytes <= MOST_BYTES) return;
    fields.delete(folder);
    bytes -= bytesOf(grid.points);
  }
}

function bytesOf(points: number): number {
  return 2 * 4 * points ** 2;
}
