/** The reference of analyses in Markdown. */
import type { Analysis } from "../../shared/analyses/analysis.ts";
import { analyses } from "../../shared/analyses/registry.ts";
import { statistics } from "../../shared/analyses/statistics.ts";
import type { OptionRule } from "../../shared/datasets/data-set.ts";

const INTRODUCTION = `# Analyses

Generated from the files in \`shared/analyses/\` by \`coordinator/spec/write-schema.ts\`: change it there. [Adding one](adding-an-analysis.md) takes a file and a test.

A spec asks for them by name, or as a map of one name and its options; \`ftle analyse DIR NAME --set option=value\` adds one to a sweep that has been run:

\`\`\`yaml
analyses: [weights, {exponents: {at: train, count: 5}}]
\`\`\`

Each is computed for every network and snapshot. Its columns stand in \`summary.csv\` and in exports as \`name.column\`, its arrays in the store alone, as the Zarr group
\`cells/<cell>/<name>-<snapshot>-<id>.zarr\`. Options that are not as by default stand behind the name: \`exponents-at-train.mean\`.

`;

const READS: Readonly<Record<Analysis["reads"], string>> = {
  network: "Reads the network; computed by workers.",
  samples: "Reads the network and its data set; computed by workers.",
  field: "Reads a stored field; computed beside the store.",
  seeds:
    "Reads another analysis of all networks that differ in their seed alone; computed beside the store.",
};

export function analysesReference(): string {
  return [
    INTRODUCTION.trimEnd(),
    "",
    sectionOfStatistics(),
    ...Object.values(analyses).map(sectionOf),
  ].join("\n");
}

function sectionOfStatistics(): string {
  const { name, doc, columns } = statistics;
  const rows = columns.map((column) => [`\`${column.name}\``, column.unit ?? "", column.doc]);
  return [
    `## \`${name}\`\n\n${doc} Computed with every field, not to be asked for; its columns have no prefix.\n`,
    ...table(["column", "unit", "meaning"], rows),
  ].join("\n");
}

function sectionOf({ name, doc, reads, options, columns, arrays }: Analysis): string {
  const ofOptions = Object.entries<OptionRule>(options).map(([option, rule]) => {
    return [`\`${option}\``, `\`${rule.default}\``, rule.doc];
  });
  const ofColumns = columns.map((column) => {
    return [`\`${name}.${column.name}\``, column.unit ?? "", column.doc];
  });
  const ofArrays = arrays.map((array) => {
    return [`\`${array.name}\``, array.dimensions.join(" × "), array.unit ?? "", array.doc];
  });
  return [
    `## \`${name}\`\n\n${doc} ${READS[reads]}\n`,
    ...table(["option", "default", "meaning"], ofOptions),
    ...table(["column", "unit", "meaning"], ofColumns),
    ...table(["array", "dimensions", "unit", "meaning"], ofArrays),
  ].join("\n");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line), ""];
}

function escaped(text: string): string {
  return text.replaceAll("|", "\\|");
}
