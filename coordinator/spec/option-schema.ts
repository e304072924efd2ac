/** The schema of an option, from the rule in the table of its data set or analysis. */
import * as z from "zod";
import type { OptionRule, OptionValue } from "../../shared/datasets/data-set.ts";
import { choice, integer, real } from "./phrases.ts";

export function optionSchema(rule: OptionRule): z.ZodType<OptionValue> {
  if (rule.kind === "boolean") {
    const title = "`true` or `false`";
    return z.boolean(title).meta({ title }).default(rule.default).describe(rule.doc);
  }
  if (rule.kind === "choice") {
    const { choices, default: standard, doc } = rule;
    return choice(choices as [string, ...string[]])
      .default(standard)
      .describe(doc);
  }
  if (rule.kind === "integers") return integersSchema(rule);
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = rule;
  const bounds = { min: minimum, max: maximum, above: exclusiveMinimum, below: exclusiveMaximum };
  const schema = rule.kind === "integer" ? integer(bounds) : real(bounds);
  return schema.default(rule.default).describe(rule.doc);
}

function integersSchema(rule: Extract<OptionRule, { kind: "integers" }>) {
  const { minimum, maximum, least, doc } = rule;
  const title = `a list of at least ${least} different integers from ${minimum} to ${maximum}`;
  return z
    .array(z.int(title).min(minimum, title).max(maximum, title), title)
    .refine((values) => values.length >= least && new Set(values).size === values.length, title)
    .meta({ title })
    .default([...rule.default])
    .describe(doc);
}
