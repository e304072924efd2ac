#!/usr/bin/env node
import { Command } from "commander";
import { FtleError } from "../shared/errors.ts";
import { VERSION } from "../shared/version.ts";
import type { CommandEntry } from "./catalogue.ts";
import { CATALOGUE, loadCommand } from "./catalogue.ts";
import { dropEmptyVariables } from "./terminal/environment.ts";
import { heedNohup } from "./terminal/hang-up.ts";
import { outliveReaders } from "./terminal/readers.ts";

const USAGE_EXIT_CODE = 2;

const program = new Command("ftle")
  .description(
    "Train whole lattices of neural networks and map how strongly each of them stretches its input space.",
  )
  .version(VERSION)
  .enablePositionalOptions() // `--json` after a subcommand is the subcommand's, in all commands
  .addHelpText(
    "after",
    `
A first sweep:
  $ ftle plan examples/quickstart.yaml       show its cost
  $ ftle run examples/quickstart.yaml        run it; Ctrl-C at any time
  $ ftle resume sweeps/quickstart            continue it
  $ ftle plot sweeps/quickstart --boundary   draw it with the decision boundary

Every command has --help with examples, --json for programs, and --quiet.
Exit codes: 0 complete, 1 fault, 2 usage or spec, 3 complete with tasks given up,
4 cancelled at its broker, 130 interrupted; what is not complete is resumable.`,
  )
  .exitOverride((error) => {
    // commander's own code for a wrong command line is 1; ours is 2.
    process.exit(error.exitCode === 0 ? 0 : USAGE_EXIT_CODE);
  });

heedNohup(process.env);
outliveReaders();
dropEmptyVariables(process.env);
try {
  const wanted = wantedCommands(process.argv.slice(2));
  for (const entry of CATALOGUE) {
    const command = wanted.has(entry.name) ? await loadCommand(entry) : mentioned(entry);
    program.addCommand(command.copyInheritedSettings(program));
  }
  await program.parseAsync();
} catch (error) {
  const isOurs = error instanceof FtleError;
  // A user's mistake needs no stack trace; a programming fault does.
  const text = isOurs
    ? `ftle: ${error.message}`
    : `ftle: internal fault\n${(error as Error).stack ?? error}`;
  process.stderr.write(`${text}\n`);
  process.exitCode = isOurs ? error.exitCode : 1;
}

/** The commands that this command line needs: the first word, or the one that help is asked of. */
function wantedCommands(words: readonly string[]): Set<string> {
  const [first = "", second = ""] = words.filter((word) => !word.startsWith("-"));
  return new Set(first === "help" ? [second] : [first]);
}

/** A command as far as the program's help and its hints at misspelled names need it. */
function mentioned({ name, arguments: args, summary }: CommandEntry): Command {
  const command = new Command(name).description(summary).option("--json");
  return args === "" ? command : command.arguments(args);
}
