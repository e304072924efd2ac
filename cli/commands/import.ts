import { basename, extname, join, relative } from "node:path";
import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { stringify } from "yaml";
import { readSweepText } from "../../coordinator/spec/read-sweep.ts";
import { SWEEP_YAML } from "../../coordinator/store/layout.ts";
import { refuseIdleFlags } from "../sweeps/place-of.ts";
import type { AllFlags } from "../sweeps/run-and-report.ts";
import { runAndReport } from "../sweeps/run-and-report.ts";
import { planFor } from "../sweeps/stored-sweep.ts";
import { command } from "../terminal/command.ts";
import type { EngineFlag } from "../terminal/engine-option.ts";
import { engineOption, withEngine } from "../terminal/engine-option.ts";
import { positiveInteger } from "../terminal/numbers.ts";
import { withRunOptions } from "../terminal/run-options.ts";

interface ImportFlags extends AllFlags, EngineFlag {
  readonly out?: string;
  readonly activation?: string;
  readonly outputActivation?: string;
  readonly region?: readonly number[];
  readonly points?: number;
  readonly layers: string;
}

const ACTIVATIONS = ["tanh", "relu", "sigmoid", "linear"];

const SPEC = `
Reads fully connected networks: safetensors with pairs of weight [out, in] and
bias [out], such as PyTorch's nn.Sequential of Linear, or ONNX files. Their fields
are computed as those of networks trained here, and everything else goes on from
there: analyse, plot, export. For a data set, fields elsewhere or further training,
write a spec with axes: {network.weights: [FILE, …]}.`;

export function importCommand(): Command {
  const target = command("import", [
    "import model.safetensors --activation tanh --output-activation linear",
    "import a.onnx b.onnx --out sweeps/mine --region -2,2,-2,2 --points 512",
  ])
    .argument("<file...>", "safetensors or ONNX files")
    .addHelpText("after", SPEC)
    .option("-o, --out <dir>", "the directory (default: sweeps/<name of the first file>)")
    .addOption(engineOption())
    .addOption(
      new Option("--activation <name>", "of the hidden layers, if the files do not say").choices(
        ACTIVATIONS,
      ),
    )
    .addOption(
      new Option(
        "--output-activation <name>",
        "of the output layer, if the files do not say; linear before a softmax",
      ).choices(ACTIVATIONS),
    )
    .option("--region <x0,x1,y0,y1>", "where fields are computed (default: -1,1,-1,1)", region)
    .option("--points <n>", "grid points per side (default: 256)", positiveInteger)
    .addOption(
      new Option("--layers <which>", "the exponent of the last hidden layer, or of every one")
        .choices(["last", "all"])
        .default("last"),
    );
  return withRunOptions(target).action(
    async (files: readonly string[], flags: ImportFlags, self: Command) => {
      refuseIdleFlags(self, flags);
      const directory = flags.out ?? `sweeps/${nameOf(files[0]!)}`;
      const text = specOf(files, { ...flags, out: directory });
      const read = await readSweepText(text, {
        file: join(directory, SWEEP_YAML),
        moved: flags.data,
      });
      const planned = await planFor(directory, withEngine(read, flags));
      await runAndReport(directory, planned, { ...flags, retry: false });
    },
  );
}

/** Paths are relative to the directory, where the spec will be. */
function specOf(files: readonly string[], flags: ImportFlags & { readonly out: string }): string {
  const { out, activation, outputActivation, region: bounds, points, layers } = flags;
  const [x0, x1, y0, y1] = bounds ?? [];
  const network = {
    ...(activation === undefined ? {} : { activation }),
    ...(outputActivation === undefined ? {} : { outputActivation }),
  };
  const field = {
    ...(bounds === undefined ? {} : { region: { x: [x0, x1], y: [y0, y1] } }),
    ...(points === undefined ? {} : { points }),
    ...(layers === "last" ? {} : { layers }),
  };
  const spec = {
    name: nameOf(files[0]!),
    axes: { "network.weights": files.map((file) => relative(out, file)) },
    ...(Object.keys(network).length > 0 ? { network } : {}),
    ...(Object.keys(field).length > 0 ? { field } : {}),
  };
  return stringify(spec, { lineWidth: 0 });
}

/** The file's name, reduced to what a sweep's name may have. */
function nameOf(file: string): string {
  const stem = basename(file, extname(file)).replaceAll(/[^0-9A-Za-z._-]+/g, "-");
  return stem.replace(/^[._-]+/, "").slice(0, 80) || "imported";
}

function region(text: string): readonly number[] {
  const bounds = text.split(",").map(Number);
  const [x0, x1, y0, y1] = bounds as [number, number, number, number];
  if (bounds.length === 4 && x0 < x1 && y0 < y1) return bounds;
  throw new InvalidArgumentError("expected four numbers x0,x1,y0,y1 with x0 < x1 and y0 < y1");
}
