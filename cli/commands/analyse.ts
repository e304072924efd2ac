import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { parse } from "yaml";
import { withAnalysis } from "../../coordinator/spec/add-analysis.ts";
import { refuseIdleFlags } from "../sweeps/place-of.ts";
import type { AllFlags } from "../sweeps/run-and-report.ts";
import { runAndReport } from "../sweeps/run-and-report.ts";
import { loadStored, planStored } from "../sweeps/stored-sweep.ts";
import { command } from "../terminal/command.ts";
import { withRunOptions } from "../terminal/run-options.ts";

interface AnalyseFlags extends AllFlags {
  readonly set: Readonly<Record<string, unknown>>;
}

export function analyseCommand(): Command {
  const analyse = command("analyse", [
    "analyse sweeps/fig2 weights",
    "analyse sweeps/mnist exponents --set at=test --set count=5",
    "analyse sweeps/mnist ensemble --nats nats://host:4222",
  ])
    .argument("<dir>", "the sweep's directory")
    .argument("<name>", "the analysis; `ftle analyses` lists them")
    .option(
      "--set <option=value>",
      "an option of the analysis; may be given several times",
      collect,
      {},
    );
  return withRunOptions(analyse).action(
    async (...[directory, name, flags, self]: [string, string, AnalyseFlags, Command]) => {
      refuseIdleFlags(self, flags);
      const stored = await loadStored(directory);
      const changed = withAnalysis(stored, { name, options: flags.set });
      const planned = planStored(stored, changed);
      await runAndReport(directory, planned, { ...flags, retry: false });
    },
  );
}

/** Values are written as in a spec. */
function collect(text: string, set: Readonly<Record<string, unknown>>) {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("expected option=value, such as at=train");
  try {
    return { ...set, [text.slice(0, at)]: parse(text.slice(at + 1)) as unknown };
  } catch {
    throw new InvalidArgumentError(`expected a value as in a spec behind ${text.slice(0, at)}=`);
  }
}
