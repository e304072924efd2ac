import { interpolateRdBu } from "d3-scale-chromatic";
import { encode } from "fast-png";

/** Values at the centres of points × points equal squares, row-major; row 0 has the smallest y. */
export interface SquareField {
  readonly points: number;
  readonly values: Float32Array;
}

/** Steps of the colour scale on either side of its middle, which is exactly 0. */
const STEPS = 127;

/** Grey for NaN, then the colours from −limit (blue) to +limit (red). */
const PALETTE = [
  [204, 204, 204],
  ...Array.from({ length: 2 * STEPS + 1 }, (_, i) => rgb(interpolateRdBu(1 - i / (2 * STEPS)))),
];

/** How a field becomes an image. */
export interface Raster {
  /** Value of the strongest red; values beyond ±limit take the colour of the limit. */
  readonly limit: number;
  /**
   * Pixels per point, along each side. Programs differ in how they enlarge an image, and some always
   * blur it; an image that is large enough keeps its squares sharp everywhere.
   */
  readonly magnification: number;
}

/** The field as a PNG data URL, y upwards. */
export function fieldImage({ points, values }: SquareField, raster: Raster): string {
  const side = points * raster.magnification;
  const pixels = new Uint8Array(side * side);
  for (let line = 0; line < side; line++) {
    const row = points - 1 - Math.floor(line / raster.magnification);
    for (let i = 0; i < side; i++) {
      const column = Math.floor(i / raster.magnification);
      pixels[line * side + i] = paletteIndex(values[row * points + column]! / raster.limit);
    }
  }
  return imageUrl(pixels, side, side);
}

/** The colour scale itself as an image, one pixel wide, −limit at the bottom. */
export function colourBarImage(): string {
  const height = PALETTE.length - 1;
  return imageUrl(
    Uint8Array.from({ length: height }, (_, i) => height - i),
    1,
    height,
  );
}

/** The colour of a value in units of the limit, as CSS. */
export function colour(relativeValue: number): string {
  return `rgb(${PALETTE[paletteIndex(relativeValue)]!.join(", ")})`;
}

/** The field on at most `size` points per side: means over equal areas, which leave NaN out. */
export function coarsen({ points, values }: SquareField, size: number): SquareField {
  if (points <= size) return { points, values };
  const sums = new Float64Array(size * size);
  const areas = new Float64Array(size * size);
  const { first, shares } = blocksOf(points, size);
  for (let row = 0; row < points; row++) {
    for (let column = 0; column < points; column++) {
      const value = values[row * points + column]!;
      if (Number.isNaN(value)) continue;
      for (let corner = 0; corner < 4; corner++) {
        const up = corner >> 1;
        const right = corner & 1;
        const area = shares[2 * row + up]! * shares[2 * column + right]!;
        if (area === 0) continue;
        const block = (first[row]! + up) * size + first[column]! + right;
        sums[block]! += area * value;
        areas[block]! += area;
      }
    }
  }
  return { points: size, values: Float32Array.from(sums, (sum, i) => sum / areas[i]!) };
}

/** The block in which each of `points` begins, and its shares of that block and of the next one. */
function blocksOf(points: number, size: number) {
  const length = size / points;
  const first = Int32Array.from({ length: points }, (_, i) => Math.floor(i * length));
  const shares = new Float64Array(2 * points);
  for (let i = 0; i < points; i++) {
    const spill = (i + 1) * length - (first[i]! + 1);
    // Rounding must not give the last point a share in a block beyond the last.
    shares[2 * i + 1] = spill > 1e-9 ? spill : 0;
    shares[2 * i] = length - shares[2 * i + 1]!;
  }
  return { first, shares };
}

/** An angle per block, radians; the mean is that of the doubled angles, because a line has no sign. */
export function coarsenLines({ points, values }: SquareField, size: number): SquareField {
  const cos = coarsen({ points, values: values.map((angle) => Math.cos(2 * angle)) }, size);
  const sin = coarsen({ points, values: values.map((angle) => Math.sin(2 * angle)) }, size);
  return {
    points: cos.points,
    values: sin.values.map((s, i) => Math.atan2(s, cos.values[i]!) / 2),
  };
}

function paletteIndex(relativeValue: number): number {
  if (Number.isNaN(relativeValue)) return 0;
  return 1 + STEPS + Math.round(STEPS * Math.max(-1, Math.min(1, relativeValue)));
}

function imageUrl(pixels: Uint8Array, width: number, height: number): string {
  const png = encode({ width, height, data: pixels, depth: 8, channels: 1, palette: PALETTE });
  return `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
}

function rgb(css: string): number[] {
  return css.match(/\d+/g)!.map(Number);
}
