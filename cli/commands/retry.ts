import type { Command } from "commander";
import { refuseIdleFlags } from "../sweeps/place-of.ts";
import type { AllFlags } from "../sweeps/run-and-report.ts";
import { runAndReport } from "../sweeps/run-and-report.ts";
import { loadStored } from "../sweeps/stored-sweep.ts";
import { command } from "../terminal/command.ts";
import { withRunOptions } from "../terminal/run-options.ts";

export function retryCommand(): Command {
  const retry = command("retry", ["retry sweeps/fig2"]).argument("<dir>", "the sweep's directory");
  return withRunOptions(retry).action(async (directory: string, flags: AllFlags, self: Command) => {
    refuseIdleFlags(self, flags);
    await runAndReport(directory, await loadStored(directory), { ...flags, retry: true });
  });
}
