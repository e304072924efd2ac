/** `axes` of a spec. */
import * as z from "zod";
import { LATTICE_AXES } from "./axis-names.ts";
import { type AxisForm, axis, logspace } from "./axis-schema.ts";
import { PARAMETERS, type Parameter, WEIGHTS } from "./parameters.ts";
import { anyOf, integer, list, real, section, titleOf } from "./phrases.ts";
import type { ParameterValue } from "./sweep.ts";

const width = integer({ min: 1, max: 100_000 });
const depth = integer({ min: 1, max: 1000 });
const count = integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const seed = integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const positive = real({ above: 0 });
const step = integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).default(1);

const critical = z.literal("critical").meta({ title: "`critical`" });

const logGain = section({
  logGain: axis({ value: real({ min: -50, max: 50 }), step: positive }).describe(
    "Values of ln(G·N·σ_w²), 0 at criticality.",
  ),
}).meta({ title: "`{logGain: …}`" });

const firstSeeds = section({
  count: count.describe("How many seeds."),
  from: seed.default(0).describe("The first seed."),
})
  .refine(({ count, from }) => count - 1 <= Number.MAX_SAFE_INTEGER - from, {
    path: ["count"],
    error: `so many seeds from \`from\` on that the last is at most ${Number.MAX_SAFE_INTEGER}`,
  })
  .meta({ title: "`{count, from}`" });

/** An axis over the values of a parameter. */
function parameterAxis({ kind, schema }: Parameter): z.ZodType {
  if (kind === "integer" || kind === "number") {
    const value = schema as z.ZodType<number, number>;
    return axis({ value, step: kind === "integer" ? step : positive }, logspace(value));
  }
  const title = titleOf(schema);
  return anyOf(
    [schema, list(schema, "a list of one or more values")],
    `${title}, or a list of them`,
  );
}

const parameterAxes = Object.fromEntries(
  Array.from(PARAMETERS.values(), (parameter) => {
    const { path, description } = parameter;
    const says = `An axis over \`${path}\`: ${description.split(" Default: ")[0]} Default: none.`;
    return [path, parameterAxis(parameter).optional().describe(says)];
  }),
);

/** The axes of a spec that vary a parameter, with the values that passed their schemas. */
export function parameterForms(
  axes: object,
): [Parameter, AxisForm | ParameterValue | readonly ParameterValue[]][] {
  return Object.entries(axes).flatMap(([path, form]) => {
    const parameter = PARAMETERS.get(path);
    return parameter === undefined || form === undefined ? [] : [[parameter, form]];
  });
}

const IN_PLACE = "or `hidden` or `network.weights` in place of `width` and `depth`";

export const axesSchema = section(
  {
    width: axis({ value: width, step }, logspace(width))
      .optional()
      .describe("Widths N: neurons in every hidden layer; required without `hidden`."),
    depth: axis({ value: depth, step }, logspace(depth))
      .optional()
      .describe("Depths L: numbers of hidden layers; required without `hidden`."),
    hidden: list(
      list(width, "a list of layer widths").max(1000, "a list of at most 1000 layer widths"),
      "a list of lists of layer widths such as `[[50, 25, 50]]`",
    )
      .optional()
      .describe("In place of `width` and `depth`: networks whose hidden layers differ in width."),
    weightVariance: axis({ value: positive, step: positive }, logspace(positive), critical, logGain)
      .default("critical")
      .describe(
        "Initial variance σ_w² of the weights of an N→N layer, N the width of the first hidden layer; other layers have the same gain. `critical` is 1/(G·N), and `logGain` is an axis of values of ln(G·N·σ_w²), with G = 1 for tanh and linear, 1/16 for sigmoid, 1/2 for relu.",
      ),
    seed: axis({ value: seed, step }, firstSeeds)
      .default({ count: 1, from: 0 })
      .describe("Seeds of the random weights and batches: one realisation each."),
    // Their names are known only when the program runs: `parameterForms` reads them.
    ...(parameterAxes as Record<never, z.ZodType>),
  },
  {
    listed: LATTICE_AXES,
    others:
      ", or the path of an option of `network`, `data` or `training`, such as `training.batch`",
  },
)
  .refine((axes) => WEIGHTS in axes || "hidden" in axes || "width" in axes, {
    path: ["width"],
    error: `widths of the hidden layers (${IN_PLACE})`,
    when: isMap,
  })
  .refine((axes) => WEIGHTS in axes || "hidden" in axes || "depth" in axes, {
    path: ["depth"],
    error: `numbers of hidden layers (${IN_PLACE})`,
    when: isMap,
  })
  .refine((axes) => !("hidden" in axes && ("width" in axes || "depth" in axes)), {
    path: ["hidden"],
    error: "either `hidden`, or `width` and `depth`",
    when: isMap,
  })
  .refine((axes) => !(WEIGHTS in axes && OF_NEW.some((axis) => axis in axes)), {
    path: [WEIGHTS],
    error: "either files of networks, or `width`, `depth` or `hidden` of new ones",
    when: isMap,
  })
  .meta({
    description: "The parameters that vary: every combination of their values is a cell.",
    oneOf: [
      { required: ["width", "depth"], properties: { hidden: false } },
      { required: ["hidden"], properties: { width: false, depth: false } },
      { required: [WEIGHTS], properties: { width: false, depth: false, hidden: false } },
    ],
  });

/** Axes of networks that are made here. */
const OF_NEW = ["width", "depth", "hidden"];

/** Makes a check of a map run even where some of its members have faults. */
function isMap({ value }: { value: unknown }): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
