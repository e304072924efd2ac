/** Documents of the spec's schema, for editors and for people. */
import { stringify } from "yaml";
import * as z from "zod";
import { PARAMETERS } from "./parameters.ts";
import { sweepSchema } from "./schema.ts";

/** JSON Schema (draft 7, which the YAML editors speak) of a spec as people write it. */
export function jsonSchema(): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(sweepSchema, { io: "input", target: "draft-7" });
  return { $schema, title: "ftle-sweeper sweep spec", ...rest } as JsonSchema;
}

/** The reference of the spec in Markdown. */
export function specReference(): string {
  return [INTRODUCTION, ...tables("", jsonSchema())].join("\n");
}

/** The part of JSON Schema that the spec's schema uses. */
export interface JsonSchema {
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

const INTRODUCTION = `# The sweep spec

Generated from the schema in \`coordinator/spec/\` by \`write-schema.ts\`: change it there.

A spec is a YAML file; \`examples/\` has some that run as they are. Only \`axes\` is required. Editors that support
YAML complete and check a spec that contains \`# yaml-language-server: $schema=<path to docs/spec.schema.json>\`.

An axis of numbers is written in one of these forms:

| form | values |
|---|---|
| \`8\` | 8 |
| \`[2, 4, 8]\` | 2, 4, 8 |
| \`1..4\` | 1, 2, 3, 4 |
| \`{from: 1, to: 8, step: 3}\` | 1, 4, 7 |
| \`{from: 0.1, to: 0.3, step: 0.1}\` | 0.1, 0.2, 0.3: the step may be left out only for integers, where it is 1 |
| \`{logspace: {from: 10, to: 250, count: 3}}\` | 10, 50, 250 |
`;

const PARAMETER_AXES = `Besides these, an axis may vary any of the following options, each written with its path
(\`training.batch: [20, 128]\`); it then must not be in its section. Options of an optimizer or a schedule are put into the map of
that name, and defaults follow from the values: with \`training.optimizer: [sgd, adam]\` each has its own learning rate. Numbers take
the forms above; names, \`true\` and \`false\` are listed. Wherever an axis is named (\`where\`, \`zip\`, \`--rows\`, columns of
tables, …) the last part of its path is enough if no other axis ends with it: \`batch\`.

${[...PARAMETERS.keys()].map((path) => `\`${path}\``).join(", ")}
`;

/** A table of a map's members, then those of the maps within it. */
function tables(path: string, map: JsonSchema): string[] {
  const { properties = {}, required = [] } = map;
  const members = Object.entries(properties).filter(([key]) => !PARAMETERS.has(key));
  const table = [
    `## ${path === "" ? "The whole spec" : `\`${path}\``}${nameIn(map)}\n`,
    "| key | expected | default | meaning |",
    "|---|---|---|---|",
    ...members.map(([key, member]) => row(key, member, required.includes(key))),
    "",
  ].join("\n");
  // The forms of an axis are maps, too; the introduction shows them.
  if (path === "axes") return [table, PARAMETER_AXES];
  const inner = members.flatMap(([key, member]) =>
    mapsIn(member).flatMap((form) => tables(path === "" ? key : `${path}.${key}`, form)),
  );
  return [table, ...inner];
}

function row(key: string, member: JsonSchema, isRequired: boolean): string {
  const [meaning = "", unwritten = ""] = (member.description ?? "").split(/ ?Default: /);
  const cells = [
    `\`${key}\``,
    expectedIn(member),
    isRequired ? "required" : defaultOf(member) || unwritten.replace(/\.$/, ""),
    meaning,
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function expectedIn(member: JsonSchema): string {
  if (member.title !== undefined) return member.title;
  if (member.const !== undefined) return `\`${member.const}\``;
  return mapsIn(member).length > 0 ? "a map" : `a ${member.type}`;
}

/** A default as written in a spec; empty if there is none, or if it consists of the members' defaults. */
function defaultOf({ default: value }: JsonSchema): string {
  if (value === undefined || JSON.stringify(value) === "{}") return "";
  return `\`${stringify(value, { collectionStyle: "flow" }).trim()}\``;
}

function mapsIn(schema: JsonSchema): readonly JsonSchema[] {
  if (schema.properties) return [schema];
  return (schema.anyOf ?? schema.oneOf ?? []).flatMap(mapsIn);
}

/** Distinguishes the maps of which one may be at a place, by the name that each requires. */
function nameIn({ properties }: JsonSchema): string {
  const name = properties?.name?.const;
  return name === undefined ? "" : ` with \`name: ${name}\``;
}
