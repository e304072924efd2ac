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

/** The field as a PNG data URL, y upwards; values beyond ±limit take the colour of the limit. */
export function fieldImage(field: SquareField, limit: number): string {
  const { points, values } = field;
  const pixels = new Uint8Array(points * points);
  for (let row = 0; row < points; row++) {
    const line = (points - 1 - row) * points;
    for (let column = 0; column < points; column++) {
      pixels[line + column] = paletteIndex(values[row * points + column]! / limit);
    }
  }
  return imageUrl(pixels, points, points);
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

/** The field on at most `size` points a side: means over blocks that leave NaN out. */
export function coarsen({ points, values }: SquareField, size: number): SquareField {
  if (points <= size) return { points, values };
  const sums = new Float64Array(size * size);
  const counts = new Uint32Array(size * size);
  for (let row = 0; row < points; row++) {
    const line = Math.floor((row * size) / points) * size;
    for (let column = 0; column < points; column++) {
      const value = values[row * points + column]!;
      if (Number.isNaN(value)) continue;
      const block = line + Math.floor((column * size) / points);
      sums[block]! += value;
      counts[block]! += 1;
    }
  }
  return { points: size, values: Float32Array.from(sums, (sum, i) => sum / counts[i]!) };
}

/** An angle a block, radians; the mean is that of the doubled angles, for a line has no sign. */
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
