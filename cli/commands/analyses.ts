import type { Command } from "commander";
import type { Analysis } from "../../shared/analyses/analysis.ts";
import { analyses, analysisNamed } from "../../shared/analyses/registry.ts";
import { statistics } from "../../shared/analyses/statistics.ts";
import type { OptionRule } from "../../shared/datasets/data-set.ts";
import { UsageError } from "../../shared/errors.ts";
import { command } from "../terminal/command.ts";
import { table } from "../terminal/format.ts";
import { createOutput } from "../terminal/output.ts";

interface AnalysesFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export function analysesCommand(): Command {
  return command("analyses", ["analyses", "analyses exponents"])
    .argument("[name]", "show the options, columns and arrays of this one")
    .action((name: string | undefined, flags: AnalysesFlags) => {
      const output = createOutput(flags);
      if (name === undefined) {
        const all = Object.values(analyses);
        const rows = [
          [statistics.name, "of every field", statistics.doc],
          ...all.map((analysis) => [analysis.name, READS[analysis.reads], analysis.doc]),
        ];
        const hint = "Of one: ftle analyses NAME. Add one to a sweep: ftle analyse DIR NAME";
        output.result([table(rows), hint].join("\n"), all.map(described));
        return;
      }
      if (name === statistics.name) {
        output.result(textOfStatistics(), statistics);
        return;
      }
      if (!Object.hasOwn(analyses, name)) {
        const known = Object.keys(analyses).join(", ");
        throw new UsageError(`expected an analysis, one of ${known}; got ${name}`);
      }
      const analysis = analysisNamed(name);
      output.result(text(analysis), described(analysis));
    });
}

const READS: Readonly<Record<Analysis["reads"], string>> = {
  network: "of the network",
  samples: "of network and data set",
  field: "of a stored field",
  seeds: "of all seeds",
};

function described({ name, version, doc, reads, options, columns, arrays }: Analysis) {
  return { name, version, doc, reads, options, columns, arrays };
}

function textOfStatistics(): string {
  const { name, doc, columns } = statistics;
  const rows = columns.map((column) => [`  ${column.name}`, column.unit ?? "", column.doc]);
  const said = `${name}, computed with every field, not to be asked for: ${doc}`;
  return [said, "columns of summary.csv", table(rows)].join("\n");
}

function text({ name, doc, reads, options, columns, arrays }: Analysis): string {
  const optionRows = Object.entries<OptionRule>(options).map(([option, rule]) => {
    return [`  ${option}`, String(rule.default), rule.doc];
  });
  const columnRows = columns.map(({ name: column, unit = "", doc: meaning }) => {
    return [`  ${name}.${column}`, unit, meaning];
  });
  const arrayRows = arrays.map(({ name: array, dimensions, unit = "", doc: meaning }) => {
    return [`  ${array}`, dimensions.join(" × "), unit, meaning];
  });
  return [
    `${name}, ${READS[reads]}: ${doc}`,
    ...(optionRows.length > 0 ? ["options and their defaults", table(optionRows)] : []),
    "columns of summary.csv",
    table(columnRows),
    ...(arrayRows.length > 0 ? ["arrays", table(arrayRows)] : []),
  ].join("\n");
}
