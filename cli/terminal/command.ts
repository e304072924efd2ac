import { Command } from "commander";

/** A command with `--json` and `--quiet`, and its examples below the help; the catalogue has its summary. */
export function command(name: string, examples: readonly string[]): Command {
  const indented = examples.map((example) => `  $ ftle ${example}`).join("\n");
  return new Command(name)
    .option("--json", "print the result as JSON on standard output")
    .option("-q, --quiet", "print nothing but errors")
    .addHelpText("after", `\nExamples:\n${indented}`);
}
