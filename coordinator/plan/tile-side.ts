import type { FieldGrid } from "../../shared/cell.ts";
import type { NetworkShape } from "../../shared/numerics/network.ts";
import { gridWork } from "../../shared/work.ts";

/** A tile should be a few seconds of work (design §7). */
const TILE_SECONDS = 2;
const LARGEST_TILE = 512;
const SMALLEST_TILE = 16;

/** The work of one tile, in operations as `shared/work.ts` counts them, at a rate of so many per second. */
export function tileWork(rate: number): number {
  return Number((TILE_SECONDS * rate).toPrecision(3));
}

/**
 * Side of a square tile: the largest power of two that stays within this work and divides the grid evenly;
 * if none divides it, the largest that stays within this work.
 */
export function tileSide(
  network: NetworkShape,
  grid: Pick<FieldGrid, "points" | "plane">,
  work: number,
): number {
  const { points } = grid;
  const affordable = Math.sqrt(work / gridWork(network, grid, 1));
  const sides = [];
  for (let side = LARGEST_TILE; side >= SMALLEST_TILE; side /= 2) {
    if (side <= affordable || side === SMALLEST_TILE) sides.push(side);
  }
  return (
    sides.find((side) => points % side === 0) ??
    sides.find((side) => side < points) ??
    SMALLEST_TILE
  );
}
