import type { NetworkShape } from "../shared/numerics/network.ts";
import { fieldWork } from "../shared/work.ts";

/** A tile should be some seconds of work (design §7); this is that on the reference engine. */
const TILE_FLOPS = 2e9;
const LARGEST_TILE = 512;
const SMALLEST_TILE = 16;

/**
 * Side of a square tile: the largest power of two of at most a few seconds' work that divides the
 * grid evenly, or of any if none does.
 */
export function tileSide(network: NetworkShape, points: number): number {
  const affordable = Math.sqrt(TILE_FLOPS / fieldWork(network, 1));
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
