/** A picture of a data set: its points in the plane, or its images. */
import { schemeTableau10 } from "d3-scale-chromatic";
import { encode } from "fast-png";
import type { Samples } from "../../shared/datasets/data-set.ts";

type Colour = readonly [red: number, green: number, blue: number];

const COLOURS = schemeTableau10.map((hex): Colour => {
  const number = Number.parseInt(hex.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
});

export interface Pictured {
  readonly samples: Samples;
  readonly inputs: number;
  /** The number of the class of a target; 0 where targets are values. */
  classOf(target: number): number;
}

const SIDE = 640;
const RADIUS = 1;
const MOST_POINTS = 4000;
const IMAGES_A_CLASS = 12;

/** A PNG: points of two or more inputs by the first two; squares of pixels, such as 784, as images. */
export function pictureOf(pictured: Pictured): Uint8Array {
  const side = Math.sqrt(pictured.inputs);
  return Number.isInteger(side) && side >= 8 ? imagesOf(pictured, side) : pointsOf(pictured);
}

function pointsOf({ samples, inputs, classOf }: Pictured): Uint8Array {
  const count = Math.min(samples.samples, MOST_POINTS);
  const at = (i: number, axis: number) => (axis < inputs ? samples.inputs[i * inputs + axis]! : 0);
  const range = [0, 1].map((axis) => {
    let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < count; i++) {
      from = Math.min(from, at(i, axis));
      to = Math.max(to, at(i, axis));
    }
    return { middle: (from + to) / 2, half: (to - from) / 2 };
  });
  const half = Math.max(...range.map((one) => one.half)) || 1;
  const data = new Uint8Array(3 * SIDE * SIDE).fill(255);
  for (let i = 0; i < count; i++) {
    const [x, y] = [0, 1].map((axis) => (at(i, axis) - range[axis]!.middle) / half);
    const column = Math.round((SIDE / 2) * (1 + 0.95 * x!));
    const row = Math.round((SIDE / 2) * (1 - 0.95 * y!));
    const colour = COLOURS[classOf(samples.targets[i]!) % COLOURS.length]!;
    for (let r = row - RADIUS; r <= row + RADIUS; r++) {
      for (let c = column - RADIUS; c <= column + RADIUS; c++) data.set(colour, 3 * (r * SIDE + c));
    }
  }
  return encode({ width: SIDE, height: SIDE, data, channels: 3 });
}

/** The first images of each class, a row a class; between the least and the largest pixel. */
function imagesOf({ samples, inputs, classOf }: Pictured, side: number): Uint8Array {
  const rows: number[][] = [];
  for (let i = 0; i < samples.samples; i++) {
    const k = classOf(samples.targets[i]!);
    rows[k] ??= [];
    if (rows[k].length < IMAGES_A_CLASS) rows[k].push(i);
  }
  const shown = rows.filter((row) => row.length > 0);
  const [width, height] = [IMAGES_A_CLASS * (side + 2), shown.length * (side + 2)];
  const data = new Uint8Array(width * height).fill(255);
  const all = shown
    .flat()
    .flatMap((i) => [...samples.inputs.subarray(i * inputs, (i + 1) * inputs)]);
  const [least, most] = all.reduce(
    ([a, b], x) => [Math.min(a, x), Math.max(b, x)],
    [all[0]!, all[0]!],
  );
  shown.forEach((row, k) => {
    row.forEach((sample, n) => {
      for (let j = 0; j < inputs; j++) {
        const value = (samples.inputs[sample * inputs + j]! - least) / (most - least || 1);
        const y = k * (side + 2) + 1 + Math.floor(j / side);
        const x = n * (side + 2) + 1 + (j % side);
        data[y * width + x] = Math.round(255 * (1 - value));
      }
    });
  });
  return encode({ width, height, data, channels: 1 });
}
