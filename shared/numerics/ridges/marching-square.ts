/**
 * How a line of zeros passes through one square of a grid (marching squares).
 *
 * Corners and sides are numbered anticlockwise from the lower left corner and the lower side, so that
 * side k leads from corner k to corner k + 1.
 */

/** From one side of the square to another, positive values on the left. */
export type Passage = readonly [from: number, to: number];

/** Values at the four corners. */
export type Corners = readonly [number, number, number, number];

/** By the signs of the corners, a bit each; the second half is for squares with a positive middle. */
const PASSAGES = Array.from({ length: 32 }, (_, i) => passagesOf(i & 15, i >= 16));

/** Where the zeros of a square lead: at most two passages; none where a corner is NaN. */
export function passages([a, b, c, d]: Corners): readonly Passage[] {
  const signs = (a > 0 ? 1 : 0) | (b > 0 ? 2 : 0) | (c > 0 ? 4 : 0) | (d > 0 ? 8 : 0);
  if (signs === 0 || signs === 15) return PASSAGES[0]!;
  const sum = a + b + c + d;
  if (Number.isNaN(sum)) return PASSAGES[0]!;
  return PASSAGES[sum > 0 ? signs + 16 : signs]!;
}

/** The four sides of the square with a given lower left corner, as edges of a grid. */
export function sidesOf(corner: number, points: number): readonly number[] {
  return [2 * corner, 2 * corner + 3, 2 * (corner + points), 2 * corner + 1];
}

/** Going round anticlockwise, a line enters where the sign turns negative and leaves where it turns positive. */
function passagesOf(signs: number, isMiddlePositive: boolean): Passage[] {
  const isPositive = (corner: number) => ((signs >> (corner % 4)) & 1) === 1;
  const crossed = [0, 1, 2, 3].filter((side) => isPositive(side) !== isPositive(side + 1));
  return crossed.flatMap((from, i): Passage[] => {
    if (!isPositive(from)) return [];
    // Only a saddle has four crossings: its middle says which pair of corners is connected.
    const to = crossed.at((i + (isMiddlePositive ? 1 : -1)) % crossed.length)!;
    return [[from, to]];
  });
}
