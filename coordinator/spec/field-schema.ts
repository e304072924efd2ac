/** `field` of a spec. */
import * as z from "zod";
import { anyOf, choice, integer, list, real, section } from "./phrases.ts";

const INTERVAL =
  "two numbers `[from, to]` with from < to, at most 1e6 in size and 1e-9 apart or more";

const interval = z
  .tuple([real(), real()], INTERVAL)
  // Float64 then distinguishes the points of the finest grid, and a figure can show the rectangle.
  .refine(([from, to]) => to - from >= 1e-9 && Math.max(-from, to) <= 1e6, INTERVAL)
  .meta({ title: INTERVAL });

const TILE = "`auto` or a power of two from 16 to 512";

const sample = integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

const PLANE_POINT = "a sample such as `{test: 3}` or `{train: 3}`, or a list of all inputs";

const planePoint = anyOf(
  [
    section({ test: sample.describe("Number of a sample that tests, from 0.") }),
    section({ train: sample.describe("Number of a sample that trains, from 0.") }),
    list(real({ min: -1e6, max: 1e6 }), PLANE_POINT),
  ],
  PLANE_POINT,
);

const THREE = "a list of three points";
const TWO = "a list of the numbers of two inputs, from 0";
const input = integer({ min: 0, max: 10_000_000 });

const planeSchema = anyOf(
  [
    section({
      through: z
        .tuple([planePoint, planePoint, planePoint], THREE)
        .meta({ title: THREE })
        .describe(
          "Three points: the first is (0, 0), the second (1, 0), the third lies above; coordinates are in units of the distance of the first two.",
        ),
    }),
    section({
      axes: z
        .tuple([input, input], TWO)
        .refine(([a, b]) => a !== b, TWO)
        .meta({ title: TWO })
        .describe("Two inputs, which are the coordinates."),
      at: planePoint.describe("What the other inputs are."),
    }),
  ],
  "a map of `through`, or of `axes` and `at`",
);

/** The grid of a field, every default filled in except the region, which is the data set's. */
export const gridSchema = section({
  region: section({
    x: interval.describe("From and to of the first input."),
    y: interval.describe("From and to of the second input."),
  })
    .optional()
    .describe(
      "Rectangle of the input plane. Default: the data set's own square; of a plane through three points, from -0.5 to 1.5.",
    ),
  plane: planeSchema
    .optional()
    .describe(
      "Where in an input space of more dimensions the rectangle lies. Default: none, as for two inputs.",
    ),
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
  "`none` or a map of `region`, `plane`, `points`, `layers`, `tile`",
)
  .optional()
  .describe(
    "The grid on which exponents are computed; `none`: trainings only. Default: 256 points per side over the data set's own square, or `none` if the data do not have two inputs.",
  );
