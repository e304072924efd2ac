import type { Command } from "commander";
import { refuseIdleFlags } from "../sweeps/place-of.ts";
import type { AllFlags } from "../sweeps/run-and-report.ts";
import { runAndReport } from "../sweeps/run-and-report.ts";
import { loadStored } from "../sweeps/stored-sweep.ts";
import { command } from "../terminal/command.ts";
import { withRunOptions } from "../terminal/run-options.ts";

export function resumeCommand(): Command {
  const resume = command("resume", ["resume sweeps/fig2"]).argument(
    "<dir>",
    "the sweep's directory",
  );
  return withRunOptions(resume).action(
    async (directory: string, flags: AllFlags, self: Command) => {
      refuseIdleFlags(self, flags);
      await runAndReport(directory, await loadStored(directory), { ...flags, retry: false });
    },
  );
}
