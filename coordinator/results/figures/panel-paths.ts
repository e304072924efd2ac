/** What is drawn as vectors within one panel: SVG paths in its pixels, from its upper left corner. */

import { coarsenLines, type SquareField } from "./field-raster.ts";
import type { UnitPoint } from "./zero-contour.ts";

/** A panel's size in pixels. */
export interface Box {
  readonly width: number;
  readonly height: number;
}

/** Lines of one length along the directions, at most 16 per side; NaN gives none. */
export function tickPath(direction: SquareField, { width, height }: Box): string {
  const coarse = coarsenLines(direction, Math.max(1, Math.min(16, Math.floor(width / 9))));
  const { points } = coarse;
  const half = (0.38 * Math.min(width, height)) / points;
  const ticks: string[] = [];
  coarse.values.forEach((angle, i) => {
    if (Number.isNaN(angle)) return;
    const x = (((i % points) + 0.5) / points) * width;
    const y = (1 - (Math.floor(i / points) + 0.5) / points) * height;
    const dx = half * Math.cos(angle);
    const dy = half * Math.sin(angle);
    ticks.push(`M${pixel(x - dx)},${pixel(y + dy)}L${pixel(x + dx)},${pixel(y - dy)}`);
  });
  return ticks.join("");
}

/** The polylines of a contour. */
export function contourPath(lines: readonly UnitPoint[][], { width, height }: Box): string {
  return lines
    .map((line) => line.map(([x, y]) => `${pixel(x * width)},${pixel((1 - y) * height)}`).join("L"))
    .map((line) => `M${line}`)
    .join("");
}

/** Diagonal hatching, the sign of a panel without an image. */
export function hatchPath({ width, height }: Box): string {
  let path = "";
  for (let d = 8; d < width + height; d += 8) {
    path += `M${Math.max(0, d - height)},${Math.min(d, height)}`;
    path += `L${Math.min(d, width)},${Math.max(0, d - width)}`;
  }
  return path;
}

/** Tenths of a pixel are finer than print. */
function pixel(length: number): string {
  return String(Math.round(10 * length) / 10);
}
