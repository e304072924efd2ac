import type { Command } from "commander";
import { Option } from "commander";
import { QUANTITIES } from "../../coordinator/results/lattice-plot.ts";
import { LINE_QUANTITIES } from "../../coordinator/results/line-plot.ts";
import { scanStore } from "../../coordinator/store/scan.ts";
import { UsageError } from "../../shared/errors.ts";
import type { FigureFormat, LineLook, SliceLook } from "../sweeps/draw.ts";
import { drawLinePlot, drawSlices, figuresFolder } from "../sweeps/draw.ts";
import { loadStored } from "../sweeps/stored-sweep.ts";
import { command } from "../terminal/command.ts";
import { positiveInteger, positiveNumber } from "../terminal/numbers.ts";
import { createOutput } from "../terminal/output.ts";

interface PlotFlags extends SliceLook, LineLook {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly lines?: string;
  readonly format: FigureFormat;
  readonly out?: string;
}

const AXES =
  "width, depth, hidden, weightVariance, seed, snapshot, or an option that the sweep varies, such as training.batch or batch";

export function plotCommand(): Command {
  return command("plot", [
    "plot sweeps/fig2",
    "plot sweeps/fig2 --only seed=2 --boundary --format svg",
    "plot sweeps/fig2 --ridges --no-directions    # after: ftle analyse sweeps/fig2 ridges",
    "plot sweeps/variance --rows weightVariance --columns snapshot --quantity lambda1",
    "plot sweeps/rates --rows training.batch --columns training.learningRate",
    "plot sweeps/rates --lines testAccuracy --against learningRate --series batch --log",
    "plot sweeps/fig2 --lines L*lambda1Boundary --against width --series depth --log",
  ])
    .argument("<dir>", "the sweep's directory")
    .addOption(
      new Option("--quantity <what>", "what the colours show")
        .choices(QUANTITIES)
        .default("L*lambda1"),
    )
    .option(
      "--layer <l>",
      "hidden layer of a field with layers: all (default: last)",
      positiveInteger,
    )
    .option(
      "--limit <value>",
      "the colours reach from -value to value (default: automatic)",
      positiveNumber,
    )
    .option("--no-directions", "leave out the directions of maximal stretching")
    .option("--boundary", "draw the decision boundary, where the output is 0")
    .option("--ridges", "draw the ridge lines that the analysis `ridges` has stored")
    .option("--rows <axis>", `what varies along the rows (default: width): ${AXES}`)
    .option("--columns <axis>", "what varies along the columns (default: depth)")
    .option(
      "--only <axis=value>",
      "only this slice; may be given for several axes",
      collectOnly,
      {},
    )
    .option(
      "--lines <quantity>",
      `draw this quantity as lines instead: ${Object.keys(LINE_QUANTITIES).join(", ")}, or a column of an analysis such as exponents.mean`,
    )
    .option(
      "--against <axis>",
      "what the lines are drawn against: an axis of numbers, logGain or epoch",
      "width",
    )
    .option("--series <axis>", "one line for each value of this axis")
    .option("--log", "logarithmic horizontal axis")
    .addOption(
      new Option("--format <format>", "kind of file")
        .choices(["png", "svg", "both"])
        .default("both"),
    )
    .option("-o, --out <dir>", "folder of the figures (default: <dir>/figures)")
    .action(async (directory: string, flags: PlotFlags) => {
      const output = createOutput(flags);
      const { sweep, plan } = await loadStored(directory);
      const state = await scanStore(plan, { directory, thorough: false });
      const stored = { directory, sweep, plan, state };
      const { lines, format, out: folder = figuresFolder(directory) } = flags;
      const target = { folder, format, note: output.note };
      const drawn =
        lines === undefined
          ? await drawSlices(stored, flags, target)
          : await drawLinePlot(stored, { ...flags, lines }, target);
      output.result(drawn.join("\n"), { figures: drawn });
    });
}

function collectOnly(text: string, only: Readonly<Record<string, string>>) {
  const [axis, value] = text.split("=", 2) as [string, string?];
  if (value !== undefined && axis !== "") return { ...only, [axis]: value };
  throw new UsageError(`expected --only axis=value, such as seed=2; got ${text}`);
}
