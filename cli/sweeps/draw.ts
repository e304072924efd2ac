/** Draws the figures of a stored sweep into files. */
import { join } from "node:path";
import type { FieldPlan, Plan } from "../../coordinator/plan/plan.ts";
import type { LatticeOptions, Quantity } from "../../coordinator/results/lattice-plot.ts";
import { latticeFigure } from "../../coordinator/results/lattice-plot.ts";
import { lineFigure } from "../../coordinator/results/line-plot.ts";
import { pictureValues } from "../../coordinator/results/picture-axes.ts";
import type { Slice } from "../../coordinator/results/slices.ts";
import { slicesOf, withValues } from "../../coordinator/results/slices.ts";
import { ridgesPlan } from "../../coordinator/results/stored-ridges.ts";
import { summaryRows } from "../../coordinator/results/summary.ts";
import type { Sweep } from "../../coordinator/spec/sweep.ts";
import { look } from "../../coordinator/store/entries.ts";
import type { FieldArray } from "../../coordinator/store/field-zarr.ts";
import { arraysOf } from "../../coordinator/store/field-zarr.ts";
import { FIGURES, SUMMARY_CSV } from "../../coordinator/store/layout.ts";
import { wayInto } from "../../coordinator/store/put-aside.ts";
import type { StoreState } from "../../coordinator/store/scan.ts";
import { writeFiles } from "../../coordinator/store/write-files.ts";
import { UsageError } from "../../shared/errors.ts";
import { moduleLoader } from "../../shared/module-loader.ts";
import { shellPath, shownPath } from "../terminal/format.ts";

/** A sweep with what its directory holds. */
export interface SweepToDraw {
  readonly directory: string;
  readonly sweep: Sweep;
  readonly plan: Plan;
  readonly state: StoreState;
}

export type FigureFormat = "png" | "svg" | "both";

/** Where figures go. */
export interface FigureTarget {
  readonly folder: string;
  readonly format: FigureFormat;
  /** Receives notes for the reader of the figures. */
  note(line: string): void;
}

/** What a lattice of fields shows: options of `ftle plot`. */
export interface SliceLook {
  readonly quantity: Quantity;
  /** Hidden layer l, from 1; the last if absent. */
  readonly layer?: number;
  /** Colours reach from -limit to limit. */
  readonly limit?: number;
  readonly directions: boolean;
  readonly boundary?: boolean;
  readonly ridges?: boolean;
  readonly rows?: string;
  readonly columns?: string;
  /** Values by axis. */
  readonly only: Readonly<Record<string, string>>;
}

/** What a plot of lines shows: options of `ftle plot`. */
export interface LineLook {
  readonly against: string;
  readonly series?: string;
  readonly log?: boolean;
  readonly only: Readonly<Record<string, string>>;
}

/** A sweep of many seeds would draw as many figures; a run draws the first few. */
const MOST_FIGURES_OF_A_RUN = 4;

type LatticeModule = typeof import("../../coordinator/results/figures/lattice-figure.ts");
type LinesModule = typeof import("../../coordinator/results/figures/line-figure.ts");
type PngModule = typeof import("../../coordinator/results/figures/render-png.ts");

const load = moduleLoader(import.meta.url);
const FOLDER = "../../coordinator/results/figures";

/** Vega takes longer to load than most commands take: only commands that draw load it. */
const figures = {
  lattice: () => load<LatticeModule>(`${FOLDER}/lattice-figure.ts`),
  lines: () => load<LinesModule>(`${FOLDER}/line-figure.ts`),
  png: () => load<PngModule>(`${FOLDER}/render-png.ts`),
};

/** The sweep's own folder of figures; what lies in its place and is not ours is renamed. */
export function figuresFolder(directory: string): string {
  wayInto(directory).clear(`${FIGURES}/`);
  return join(directory, FIGURES);
}

/**
 * What a finished run shows: L·λ₁ of the first few slices. Figures that are younger than the summary show what it says,
 * and stay.
 * @returns the paths of the files, as people read them.
 */
export async function drawDefaultFigures(
  stored: SweepToDraw,
  note: (line: string) => void,
): Promise<string[]> {
  if (stored.plan.field === null) return [];
  const folder = figuresFolder(stored.directory);
  const fields = { quantity: "L*lambda1", directions: true, only: {} } as const;
  const since = look(join(stored.directory, SUMMARY_CSV))?.mtimeMs;
  const target = { folder, format: "both", note, since } as const;
  return await drawSlices(stored, fields, { ...target, most: MOST_FIGURES_OF_A_RUN });
}

interface DrawnBefore {
  /** So many figures are drawn. */
  readonly most?: number;
  /** Figures that were drawn after this time stay; milliseconds since the epoch. */
  readonly since?: number | undefined;
}

function isYounger(path: string, since: number | undefined): boolean {
  const found = look(path);
  return since !== undefined && found?.isFile() === true && found.mtimeMs > since;
}

/**
 * Draws the lattice of fields, a figure for each slice.
 * @throws UsageError if the sweep has no such fields or axes.
 */
export async function drawSlices(
  { directory, sweep, plan, state }: SweepToDraw,
  look: SliceLook,
  { most = Number.POSITIVE_INFINITY, since, ...target }: FigureTarget & DrawnBefore,
): Promise<string[]> {
  if (!hasField(plan)) {
    throw new UsageError("expected fields to draw; this sweep has `field: none`, try --lines");
  }
  const { quantity, directions, layer = null, limit = "auto", boundary = false } = look;
  if (layer !== null && plan.field.grid.layers === "last") {
    throw new UsageError(
      "expected fields of all layers for --layer; this sweep has `layers: last`",
    );
  }
  const { folder, format } = target;
  const array = quantity.replace("L*", "") as FieldArray;
  if (!arraysOf(plan.field.grid).includes(array)) {
    throw new UsageError(
      `expected fields over a plane for --quantity ${quantity}; this sweep has none`,
    );
  }
  const ridges = look.ridges ? ridgesPlan(plan, shellPath(directory)) : null;
  const options: LatticeOptions = { quantity, layer, limit, directions, boundary, ridges };
  const drawn: string[] = [];
  for (const slice of slicesOf({ sweep, plan, cells: state.cells }, look).slice(0, most)) {
    const name = fileName(look, slice);
    const files = filesOf(name, format);
    if (files.every((file) => isYounger(join(folder, file), since))) {
      drawn.push(...files.map((file) => shownPath(folder, file)));
      continue;
    }
    const { drawLattice } = await figures.lattice();
    const figure = await latticeFigure({ name: sweep.name, directory, plan }, slice, options);
    drawn.push(...(await writeFigure(name, await drawLattice(figure), target)));
  }
  return drawn;
}

/**
 * Draws a quantity of the summary against an axis.
 * @throws UsageError if the sweep has no such axis.
 */
export async function drawLinePlot(
  { sweep, plan, state }: SweepToDraw,
  look: LineLook & { readonly lines: string },
  target: FigureTarget,
): Promise<string[]> {
  const { lines: quantity, against, series = null, log: logX = false } = look;
  // Snapshots are not independent realisations, so no mean is taken over them: by default, the last one counts.
  const isAlongTraining = series === "snapshot" || against === "epoch";
  const last = isAlongTraining ? {} : { snapshot: String(plan.snapshots.at(-1)) };
  const points = new Map(plan.cells.map(({ id, point }) => [id, point]));
  const placed = summaryRows(plan, state).map((row) => {
    const values = pictureValues(sweep, { point: points.get(row.cell)!, snapshot: row.snapshot });
    return { row, values };
  });
  const rows = withValues(sweep, placed, { ...last, ...look.only });
  const figure = lineFigure({ sweep, plan }, rows, { quantity, against, series, logX });
  const { drawLines } = await figures.lines();
  const name = `${quantity.replace("*", "")}-against-${against}`;
  return await writeFigure(name, await drawLines(figure), target);
}

/** Of a figure, as `writeFigure` names them. */
function filesOf(name: string, format: FigureFormat): string[] {
  return (["png", "svg"] as const)
    .filter((one) => format === one || format === "both")
    .map((one) => `${name}.${one}`);
}

async function writeFigure(
  name: string,
  svg: string,
  { folder, format, note }: FigureTarget,
): Promise<string[]> {
  const files: [string, Uint8Array | string][] = [];
  if (format !== "svg") {
    const { missingLetters, renderPng } = await figures.png();
    files.push([`${name}.png`, renderPng(svg)]);
    const missing = missingLetters(svg);
    if (missing !== "") {
      note(
        `${name}.png shows boxes for ${missing}, which its font does not have; the SVG (--format svg) uses the fonts of the program that shows it`,
      );
    }
  }
  if (format !== "png") files.push([`${name}.svg`, svg]);
  await writeFiles(folder, files, { temporaryFolder: "." });
  return files.map(([file]) => shownPath(folder, file));
}

/** Names what the figure shows; drawing the same again replaces it. */
function fileName({ quantity, layer, rows, columns }: SliceLook, { fixed }: Slice): string {
  const parts = fixed.map(([axis, value]) => `${axis}-${value.replaceAll(/[^\w.-]+/g, "")}`);
  if (layer !== undefined) parts.push(`layer-${layer}`);
  if (rows !== undefined || columns !== undefined) parts.push(`by-${rows ?? ""}-${columns ?? ""}`);
  return [quantity.replace("*", ""), ...parts].join("-");
}

function hasField(plan: Plan): plan is Plan & { readonly field: FieldPlan } {
  return plan.field !== null;
}
