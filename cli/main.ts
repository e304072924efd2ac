#!/usr/bin/env node
import { Command } from "commander";
import { FtleError } from "../shared/errors.ts";
import { VERSION } from "../shared/version.ts";
import { cancelCommand, pauseCommand, unpauseCommand } from "./commands/control.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { exportCommand } from "./commands/export.ts";
import { natsCommand } from "./commands/nats.ts";
import { planCommand } from "./commands/plan.ts";
import { plotCommand } from "./commands/plot.ts";
import { resumeCommand, retryCommand, runCommand } from "./commands/run.ts";
import { statusCommand } from "./commands/status.ts";
import { verifyCommand } from "./commands/verify.ts";
import { whyCommand } from "./commands/why.ts";
import { workerCommand } from "./commands/worker.ts";
import { dropEmptyVariables } from "./terminal/environment.ts";
import { heedNohup } from "./terminal/hang-up.ts";
import { outliveReaders } from "./terminal/readers.ts";

const USAGE_EXIT_CODE = 2;

const program = new Command("ftle")
  .description(
    "Train whole lattices of neural networks and map how strongly each of them stretches its input space.",
  )
  .version(VERSION)
  .addHelpText(
    "after",
    `
A first sweep:
  $ ftle plan examples/quickstart.yaml       what it would cost
  $ ftle run examples/quickstart.yaml        run it; Ctrl-C at any time
  $ ftle resume sweeps/quickstart            go on
  $ ftle plot sweeps/quickstart --boundary   another look

Every command has --help with examples, --json for programs, and --quiet.
Exit codes: 0 complete, 1 fault, 2 usage or spec, 3 complete with tasks given up,
4 cancelled at its broker, 130 interrupted; what is not complete is resumable.`,
  )
  .exitOverride((error) => {
    // commander's own code for a wrong command line is 1; ours is 2.
    process.exit(error.exitCode === 0 ? 0 : USAGE_EXIT_CODE);
  });

const commands = [
  runCommand(),
  planCommand(),
  statusCommand(),
  resumeCommand(),
  retryCommand(),
  cancelCommand(),
  pauseCommand(),
  unpauseCommand(),
  plotCommand(),
  exportCommand(),
  whyCommand(),
  verifyCommand(),
  doctorCommand(),
  workerCommand(),
  natsCommand(),
];
for (const command of commands) {
  program.addCommand(command.copyInheritedSettings(program));
}

heedNohup(process.env);
outliveReaders();
dropEmptyVariables(process.env);
try {
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
