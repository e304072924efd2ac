import type { Command } from "commander";
import { readSweep } from "../../coordinator/spec/read-sweep.ts";
import { refuseIdleFlags } from "../sweeps/place-of.ts";
import type { AllFlags } from "../sweeps/run-and-report.ts";
import { runAndReport } from "../sweeps/run-and-report.ts";
import { planFor } from "../sweeps/stored-sweep.ts";
import { command } from "../terminal/command.ts";
import type { EngineFlag } from "../terminal/engine-option.ts";
import { engineOption, withEngine } from "../terminal/engine-option.ts";
import { withRunOptions } from "../terminal/run-options.ts";

interface NewSweepFlags extends EngineFlag {
  readonly out?: string;
}

export function runCommand(): Command {
  const run = command("run", [
    "run examples/quickstart.yaml",
    "run fig2.yaml --out results/fig2 --threads 8",
    "run wider.yaml --out results/fig2    # computes only the cells missing in fig2",
    "run fig2.yaml --nats nats://host:4222    # computed by the workers (ftle worker) at this broker",
    "run fig2.yaml --cluster               # the same on this machine alone, for a trial",
    "run fig2.yaml --metrics --deadline 36h    # Prometheus metrics at 127.0.0.1:9464",
  ])
    .argument("<spec>", "the sweep spec, a YAML file")
    .option("-o, --out <dir>", "the sweep's directory (default: sweeps/<name of the sweep>)")
    .addOption(engineOption());
  return withRunOptions(run).action(
    async (file: string, flags: AllFlags & NewSweepFlags, self: Command) => {
      refuseIdleFlags(self, flags);
      const read = withEngine(await readSweep(file, { moved: flags.data }), flags);
      const directory = flags.out ?? `sweeps/${read.sweep.name}`;
      const planned = await planFor(directory, read);
      await runAndReport(directory, planned, { ...flags, retry: false });
    },
  );
}
