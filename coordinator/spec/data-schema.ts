import * as z from "zod";
import type { OptionRule, SourceRule } from "../../shared/datasets/data-set.ts";
import { dataSets } from "../../shared/datasets/registry.ts";
import { optionSchema } from "./option-schema.ts";
import { anyOf, list, oneOf, section } from "./phrases.ts";

const NAME = "a name";
const NAMES = oneOf(Object.keys(dataSets));

/** `data` of a spec: one form for each data set, made from the table of its options. */
export const dataSchema = z
  .discriminatedUnion("name", forms(), {
    error: ({ code }) => (code === "invalid_union" ? NAMES : `a map with \`name\` and options`),
  })
  .prefault({ name: "circle" })
  .describe("The data set by name, with its options.");

/** Such as `data.classes`, of the options of all data sets whose rule is of a kind. */
export function pathsOfOptions(isOfKind: (rule: OptionRule) => boolean): ReadonlySet<string> {
  const all = Object.values(dataSets).flatMap(({ options }) => Object.entries<OptionRule>(options));
  return new Set(all.filter(([, rule]) => isOfKind(rule)).map(([name]) => `data.${name}`));
}

function forms() {
  const [first, ...rest] = Object.values(dataSets).map(({ name, doc, options, source = {} }) => {
    const rules = Object.entries<OptionRule>(options);
    const places = Object.entries<SourceRule>(source);
    return section({
      name: z.literal(name).describe(doc),
      ...Object.fromEntries(places.map(([place, rule]) => [place, sourceSchema(rule)])),
      ...Object.fromEntries(rules.map(([option, rule]) => [option, optionSchema(rule)])),
    });
  });
  return [first!, ...rest] as const;
}

function sourceSchema({ kind, isRequired, doc }: SourceRule): z.ZodType {
  const name = z.string(NAME).min(1, NAME).meta({ title: NAME });
  // Of arrays without names, a column is its number.
  const column = anyOf([name, z.int(NAME).min(0, NAME).transform(String)], NAME);
  const many = "a name, or a list of names";
  const schema =
    kind === "columns"
      ? anyOf([column, list(column, many)], many)
      : kind === "column"
        ? column
        : name;
  return (isRequired ? schema : schema.optional()).describe(doc);
}
