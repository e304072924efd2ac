/** `analyses` of a spec: one form for each analysis, made from the table of its options. */
import * as z from "zod";
import { analyses } from "../../shared/analyses/registry.ts";
import type { OptionRule } from "../../shared/datasets/data-set.ts";
import { optionSchema } from "./option-schema.ts";
import { anyOf, choice, oneOf, section } from "./phrases.ts";

const NAMES = Object.keys(analyses) as [string, ...string[]];
const LIST = "a list of analyses";

const withOptions = Object.values(analyses).map(({ name, doc, options }) => {
  const rules = Object.entries<OptionRule>(options);
  const members = Object.fromEntries(rules.map(([key, rule]) => [key, optionSchema(rule)]));
  return section({ [name]: section(members).describe(doc) });
});

const analysisSchema = anyOf(
  [choice(NAMES), ...withOptions],
  `${oneOf(NAMES)}, or a map of one of these names and its options`,
);

export const analysesSchema = z
  .array(analysisSchema, LIST)
  .meta({ title: LIST })
  .default([])
  .describe(
    "What is computed of every trained network besides its field: by name, or as a map of one name and its options. `ftle analyses` lists them.",
  );

/** An analysis as written in a spec, defaults filled in. */
export type AnalysisForm = z.output<typeof analysisSchema>;
