import * as z from "zod";
import type { OptionRule, OptionValue } from "../../shared/datasets/data-set.ts";
import { dataSets } from "../../shared/datasets/registry.ts";
import { integer, oneOf, real, section } from "./phrases.ts";

const NAMES = oneOf(Object.keys(dataSets));

/** `data` of a spec: one form for each data set, made from the table of its options. */
export const dataSchema = z
  .discriminatedUnion("name", forms(), {
    error: ({ code }) => (code === "invalid_union" ? NAMES : `a map with \`name\` and options`),
  })
  .prefault({ name: "circle" })
  .describe("The data set by name, with its options.");

function forms() {
  const [first, ...rest] = Object.values(dataSets).map(({ name, doc, options }) => {
    const rules = Object.entries<OptionRule>(options);
    return section({
      name: z.literal(name).describe(doc),
      ...Object.fromEntries(rules.map(([option, rule]) => [option, optionSchema(rule)])),
    });
  });
  return [first!, ...rest] as const;
}

function optionSchema(rule: OptionRule): z.ZodType<OptionValue> {
  if (rule.kind === "boolean") {
    const title = "`true` or `false`";
    return z.boolean(title).meta({ title }).default(rule.default).describe(rule.doc);
  }
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = rule;
  const bounds = { min: minimum, max: maximum, above: exclusiveMinimum, below: exclusiveMaximum };
  const schema = rule.kind === "integer" ? integer(bounds) : real(bounds);
  return schema.default(rule.default).describe(rule.doc);
}
