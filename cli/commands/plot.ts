import { join } from "node:path";
import type { Command } from "commander";
import { Option } from "commander";
import type { FieldPlan, Plan } from "../../coordinator/plan/plan.ts";
import type { LatticeOptions, Quantity } from "../../coordinator/results/lattice-plot.ts";
import { latticeFigure, QUANTITIES } from "../../coordinator/results/lattice-plot.ts";
import type { LineQuantity } from "../../coordinator/results/line-plot.ts";
import { LINE_QUANTITIES, lineFigure } from "../../coordinator/results/line-plot.ts";
import { pictureValues } from "../../coordinator/results/picture-axes.ts";
import type { Slice, SliceOptions } from "../../coordinator/results/slices.ts";
import { slicesOf, withValues } from "../../coordinator/results/slices.ts";
import { summaryRows } from "../../coordinator/results/summary.ts";
import { writeFiles } from "../../coordinator/store/files.ts";
import { FIGURES } from "../../coordinator/store/layout.ts";
import type { StoreState } from "../../coordinator/store/scan.ts";
import { scanStore } from "../../coordinator/store/scan.ts";
import { UsageError } from "../../shared/errors.ts";
import type { PlannedSweep } from "../sweeps/stored-sweep.ts";
import { loadStored } from "../sweeps/stored-sweep.ts";
import { shownPath } from "../terminal/format.ts";
import { command, positiveInteger, positiveNumber } from "../terminal/options.ts";
import { createOutput } from "../terminal/output.ts";

interface PlotFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly quantity: Quantity;
  readonly layer?: number;
  readonly limit?: number;
  readonly directions: boolean;
  readonly boundary?: boolean;
  readonly rows?: string;
  readonly columns?: string;
  readonly only: Readonly<Record<string, string>>;
  readonly lines?: LineQuantity;
  readonly against: string;
  readonly series?: string;
  readonly log?: boolean;
  readonly format: "png" | "svg" | "both";
  readonly out?: string;
}

/** A sweep of many seeds would draw as many figures; a run draws the first few. */
const MOST_FIGURES_OF_A_RUN = 4;

const AXES =
  "width, depth, hidden, weightVariance, seed, snapshot, or an option that the sweep varies, such as training.batch or batch";

export function plotCommand(): Command {
  return command("plot", "draw the lattice of fields, or a summary quantity against an axis", [
    "plot sweeps/fig2",
    "plot sweeps/fig2 --only seed=2 --boundary --format svg",
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
    .option("--rows <axis>", `what varies along the rows (default: width): ${AXES}`)
    .option("--columns <axis>", "what varies along the columns (default: depth)")
    .option(
      "--only <axis=value>",
      "only this slice; may be given for several axes",
      collectOnly,
      {},
    )
    .addOption(
      new Option("--lines <quantity>", "draw this quantity as lines instead").choices(
        Object.keys(LINE_QUANTITIES),
      ),
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
      const stored = await loadStored(directory);
      const state = await scanStore(stored.plan, { directory, thorough: false });
      const folder = flags.out ?? join(directory, FIGURES);
      const drawn =
        flags.lines === undefined
          ? await drawSlices(directory, stored, state, flags, folder)
          : await drawLinePlot(stored, state, { ...flags, lines: flags.lines }, folder);
      output.result(drawn.join("\n"), { figures: drawn });
    });
}

/** Vega takes longer to load than most commands take: only what draws loads it. */
const figures = {
  lattice: () => import("../../coordinator/results/figures/lattice-figure.ts"),
  lines: () => import("../../coordinator/results/figures/line-figure.ts"),
  png: () => import("../../coordinator/results/figures/render-png.ts"),
};

/** What a finished run shows: L·λ₁ of the first few slices. */
export async function drawDefaultFigures(
  directory: string,
  planned: PlannedSweep,
  state: StoreState,
): Promise<string[]> {
  if (planned.plan.field === null) return [];
  const folder = join(directory, FIGURES);
  const flags = { quantity: "L*lambda1", directions: true, only: {}, format: "both" } as const;
  return await drawSlices(directory, planned, state, flags, folder, MOST_FIGURES_OF_A_RUN);
}

async function drawSlices(
  directory: string,
  { sweep, plan }: PlannedSweep,
  state: StoreState,
  flags: Pick<PlotFlags, "quantity" | "directions" | "only" | "format"> & Partial<PlotFlags>,
  folder: string,
  most = Number.POSITIVE_INFINITY,
): Promise<string[]> {
  if (!hasField(plan)) {
    throw new UsageError(`expected fields to draw; this sweep has \`field: none\`, try --lines`);
  }
  if (flags.layer !== undefined && plan.field.grid.layers === "last") {
    throw new UsageError(
      "expected fields of all layers for --layer; this sweep has `layers: last`",
    );
  }
  const options: SliceOptions = { only: flags.only, rows: flags.rows, columns: flags.columns };
  const look: LatticeOptions = {
    quantity: flags.quantity,
    layer: flags.layer ?? null,
    limit: flags.limit ?? "auto",
    directions: flags.directions,
    boundary: flags.boundary ?? false,
  };
  const { drawLattice } = await figures.lattice();
  const drawn: string[] = [];
  for (const slice of slicesOf({ sweep, plan, cells: state.cells }, options).slice(0, most)) {
    const figure = await latticeFigure(directory, plan, slice, { ...look, name: sweep.name });
    const svg = await drawLattice(figure);
    drawn.push(...(await writeFigure(folder, fileName(flags, slice), svg, flags.format)));
  }
  return drawn;
}

async function drawLinePlot(
  { sweep, plan }: PlannedSweep,
  state: StoreState,
  flags: PlotFlags & { readonly lines: LineQuantity },
  folder: string,
): Promise<string[]> {
  // Snapshots are no realisations to take a mean of: without another word, the last counts.
  const isAlongTraining = flags.series === "snapshot" || flags.against === "epoch";
  const last = isAlongTraining ? {} : { snapshot: String(plan.snapshots.at(-1)) };
  const points = new Map(plan.cells.map(({ id, point }) => [id, point]));
  const placed = summaryRows(plan, state).map((row) => {
    const values = pictureValues(sweep, { point: points.get(row.cell)!, snapshot: row.snapshot });
    return { row, values };
  });
  const rows = withValues(sweep, placed, { ...last, ...flags.only });
  const { drawLines } = await figures.lines();
  const svg = await drawLines(
    lineFigure(sweep, rows, {
      quantity: flags.lines,
      against: flags.against,
      series: flags.series ?? null,
      logX: flags.log ?? false,
    }),
  );
  const name = `${flags.lines.replace("*", "")}-against-${flags.against}`;
  return await writeFigure(folder, name, svg, flags.format);
}

async function writeFigure(
  folder: string,
  name: string,
  svg: string,
  format: PlotFlags["format"],
): Promise<string[]> {
  const files: [string, Uint8Array | string][] = [];
  if (format !== "svg") {
    const { renderPng } = await figures.png();
    files.push([`${name}.png`, renderPng(svg)]);
  }
  if (format !== "png") files.push([`${name}.svg`, svg]);
  await writeFiles(folder, files, { temporaryFolder: "." });
  return files.map(([file]) => shownPath(folder, file));
}

/** Names what the figure shows; another look at the same replaces it. */
function fileName(
  { quantity, layer, rows, columns }: Partial<PlotFlags> & Pick<PlotFlags, "quantity">,
  { fixed }: Slice,
): string {
  const parts = fixed.map(([axis, value]) => `${axis}-${value.replaceAll(/[^\w.-]+/g, "")}`);
  if (layer !== undefined) parts.push(`layer-${layer}`);
  if (rows !== undefined || columns !== undefined) parts.push(`by-${rows ?? ""}-${columns ?? ""}`);
  return [quantity.replace("*", ""), ...parts].join("-");
}

function hasField(plan: Plan): plan is Plan & { readonly field: FieldPlan } {
  return plan.field !== null;
}

function collectOnly(text: string, only: Readonly<Record<string, string>>) {
  const [axis, value] = text.split("=", 2) as [string, string?];
  if (value !== undefined && axis !== "") return { ...only, [axis]: value };
  throw new UsageError(`expected --only axis=value, such as seed=2; got ${text}`);
}
