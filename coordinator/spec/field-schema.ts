/** `field` of a spec. */
import * as z from "zod";
import { anyOf, choice, integer, real, section } from "./phrases.ts";

const INTERVAL =
  "two numbers `[from, to]` with from < to, at most 1e6 in size and 1e-9 apart or more";

const interval = z
  .tuple([real(), real()], INTERVAL)
  // Float64 then distinguishes the points of the finest grid, and a figure can show the rectangle.
  .refine(([from, to]) => to - from >= 1e-9 && Math.max(-from, to) <= 1e6, INTERVAL)
  .meta({ title: INTERVAL });

const TILE = "`auto` or a power of two from 16 to 512";

/** The grid of a field, every default filled in except the region, which is the data set's. */
export const gridSchema = section({
  region: section({
    x: interval.describe("From and to of the first input."),
    y: interval.describe("From and to of the second input."),
  })
    .optional()
    .describe("Rectangle of the input plane. Default: the data set's own square."),
  points: integer({ min: 1, max: 8192 })
    .default(256)
    .describe("Grid points per side, at the centres of equal squares."),
  layers: choice(["last", "all"])
    .default("last")
    .describe("The exponent of the last hidden layer, or of every hidden layer."),
  tile: z
    .literal(["auto", 16, 32, 64, 128, 256, 512], TILE)
    .meta({ title: TILE })
    .default("auto")
    .describe("Points per side of a tile, the unit of field work. It does not affect results."),
});

export const fieldSchema = anyOf(
  [z.literal("none"), gridSchema],
  "`none` or a map of `region`, `points`, `layers`, `tile`",
)
  .optional()
  .describe(
    "The grid on which exponents are computed; `none`: trainings only. Default: 256 points per side over the data set's own square, or `none` if the data do not have two inputs.",
  );
