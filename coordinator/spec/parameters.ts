/**
 * Every scalar and every name of `network`, `data` and `training`, by its path: what an axis may vary besides the
 * lattice's own axes. Found in the sections' schemas, so that a new option is an axis as soon as it is an option.
 */
import * as z from "zod";
import { dataSchema, pathsOfOptions } from "./data-schema.ts";
import { networkSchema } from "./network-schema.ts";
import { choice } from "./phrases.ts";
import { trainingSchema } from "./training-schema.ts";

/** The kind of a parameter's values. Names have no order; numbers have. */
export type ParameterKind = "integer" | "number" | "name" | "boolean";

export interface Parameter {
  /** Such as `training.batch`. */
  readonly path: string;
  readonly kind: ParameterKind;
  /** Schema of one value; has a title. */
  readonly schema: z.ZodType;
  readonly description: string;
}

/** The axis over files of networks. */
export const WEIGHTS = "network.weights";

const FIXED = pathsOfOptions(({ isFixed }) => isFixed === true);

/** By path, in the order of the sections. */
export const PARAMETERS: ReadonlyMap<string, Parameter> = parametersByPath();

function parametersByPath(): Map<string, Parameter> {
  const sections = { network: networkSchema, data: dataSchema, training: trainingSchema };
  const parameters = new Map<string, Parameter>();
  for (const [name, schema] of Object.entries(sections)) {
    for (const parameter of parametersIn(schema, name)) {
      // If several forms of a map have an option, the first form's schema counts.
      const { path } = parameter;
      if (!parameters.has(path) && !FIXED.has(path)) parameters.set(path, parameter);
    }
  }
  return parameters;
}

function parametersIn(schema: z.ZodType, path: string): Parameter[] {
  const inner = unwrapped(schema);
  const description = schema.description ?? inner.description ?? "";
  if (inner instanceof z.ZodObject) {
    return membersOf(inner).flatMap(([key, member]) => parametersIn(member, `${path}.${key}`));
  }
  if (inner instanceof z.ZodUnion) return parametersOfForms(inner, { path, description });
  const kind = path === WEIGHTS ? "name" : kindOf(inner);
  return kind === null ? [] : [{ path, kind, schema: inner, description }];
}

/** A union of names and maps that have a `name`: the names, and the other members of the maps. */
function parametersOfForms(
  union: z.ZodUnion,
  { path, description }: Pick<Parameter, "path" | "description">,
): Parameter[] {
  const forms = union.options.map((option) => unwrapped(option as z.ZodType));
  const nested = forms.filter((form) => form instanceof z.ZodUnion);
  const maps = [...forms, ...nested.flatMap((one) => one.options as z.ZodType[])].filter(
    (form) => form instanceof z.ZodObject,
  );
  const members = maps.flatMap((map) =>
    membersOf(map)
      .filter(([key]) => key !== "name")
      .flatMap(([key, member]) => parametersIn(member, `${path}.${key}`)),
  );
  const names = forms.find((form) => form instanceof z.ZodEnum);
  if (names !== undefined) return [{ path, kind: "name", schema: names, description }, ...members];
  const ofMaps = maps.flatMap((map) => namesIn(map));
  if (ofMaps.length === 0) return members;
  const schema = choice(ofMaps as [string, ...string[]]);
  return [{ path: `${path}.name`, kind: "name", schema, description }, ...members];
}

function kindOf(schema: z.ZodType): ParameterKind | null {
  if (schema instanceof z.ZodEnum) return "name";
  if (schema instanceof z.ZodBoolean) return "boolean";
  if (schema instanceof z.ZodNumberFormat) return "integer";
  return schema instanceof z.ZodNumber ? "number" : null;
}

function namesIn(map: z.ZodObject): string[] {
  const name = map.shape.name;
  return name instanceof z.ZodLiteral ? [...name.values].map(String) : [];
}

function membersOf(map: z.ZodObject): [string, z.ZodType][] {
  return Object.entries(map.shape as Record<string, z.ZodType>);
}

/** The schema without its default, and required. */
function unwrapped(schema: z.ZodType): z.ZodType {
  const isWrapper =
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodPrefault;
  return isWrapper ? unwrapped(schema.unwrap() as z.ZodType) : schema;
}
