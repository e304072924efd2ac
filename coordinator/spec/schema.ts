/** The form of a sweep spec: what is allowed where, its defaults, and what it means. */
import * as z from "zod";
import { analysesSchema } from "./analyses-schema.ts";
import { axesSchema } from "./axes-schema.ts";
import { dataSchema } from "./data-schema.ts";
import { fieldSchema } from "./field-schema.ts";
import { networkSchema } from "./network-schema.ts";
import { anyOf, choice, section } from "./phrases.ts";
import { trainingSchema } from "./training-schema.ts";

const NAME = "a name of at most 80 letters, digits, spaces, dots, hyphens or underscores";

/**
 * Letters and digits of any script: what XML, and so SVG, may contain (https://www.w3.org/TR/xml/#charsets). Written for
 * UTF-16 code units, because editors read it without the flag `u`.
 */
const NAME_PATTERN =
  /^(?:[0-9A-Za-z\u00c0-\ud7ff\uf900-\ufffd]|[\ud800-\udbff][\udc00-\udfff])(?:[0-9A-Za-z\u00c0-\ud7ff\uf900-\ufffd ._-]|[\ud800-\udbff][\udc00-\udfff])*$/;

const constraint = z
  .string("a comparison such as `width * depth <= 2000`")
  .max(1000, "a constraint of at most 1000 characters");

const axisName = z.string("the name of an axis").meta({ title: "the name of an axis" });
const TWO_AXES = "a list of two or more axes";
const axisGroup = z.array(axisName, TWO_AXES).min(2, TWO_AXES);

export const sweepSchema = section({
  name: z
    .string(NAME)
    .regex(NAME_PATTERN, NAME)
    .max(80, NAME)
    .meta({ title: NAME })
    .optional()
    .describe("Name of the sweep. Default: the file's name without its extension."),
  axes: axesSchema,
  where: anyOf([constraint, z.array(constraint)], "a constraint or a list of constraints")
    .default([])
    .describe(
      "Constraints such as `width * depth <= 2000`; a cell is in the sweep if all hold. They may use `width`, `depth`, `weightVariance`, `logGain`, `seed` and the axes over other options, by name or path, in `+ - * / % **`, `< <= > >= == !=`, `and or not` and the functions `min max abs sqrt log exp floor`; names are put in quotes: `optimizer == 'adam'`. With `hidden`, `width` is that of the widest layer and `depth` the number of layers.",
    ),
  zip: anyOf([axisGroup, z.array(axisGroup)], "a list of axes, or a list of such lists")
    .default([])
    .describe(
      "Axes that vary together: those of a list have equally many values, which are walked in step.",
    ),
  network: networkSchema,
  data: dataSchema,
  training: trainingSchema,
  field: fieldSchema,
  analyses: analysesSchema,
  engine: choice(["auto", "native", "tfjs", "reference"])
    .default("auto")
    .describe("What does the arithmetic; `auto` takes the fastest one on this machine."),
});

/** A spec whose form has no faults, defaults filled in. */
export type SpecForm = z.output<typeof sweepSchema>;
