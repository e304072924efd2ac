import type { Spec } from "vega";
import type { Region } from "../../../shared/cell.ts";
import { coarsen, fieldImage, type SquareField } from "./field-raster.ts";
import {
  colourBar,
  figureTitle,
  type LatticeLayout,
  outerAxes,
  panelMarks,
} from "./lattice-marks.ts";
import { contourPath, tickPath } from "./panel-paths.ts";
import { drawVega } from "./vega-svg.ts";
import type { UnitPoint } from "./zero-contour.ts";
import { zeroContour } from "./zero-contour.ts";

/** A lattice of fields, as Fig. 2 of Storm et al., PRL 132, 057301. */
export interface LatticeFigure {
  /** Above the lattice; may be empty. */
  readonly title: string;
  /** One label per row, from the top. */
  readonly rows: readonly string[];
  /** One label per column, from the left. */
  readonly columns: readonly string[];
  /** The rectangle of the input plane that every panel shows. */
  readonly region: Region;
  /** In any order; a place without a panel stays empty. */
  readonly panels: readonly LatticePanel[];
  readonly colour: {
    /** Names the quantity beside the colour bar. */
    readonly title: string;
    /** The scale reaches from −limit to limit, > 0; `auto`: the 99.5 % quantile of |value|, rounded up. */
    readonly limit: number | "auto";
  };
  /** Draw the directions of maximal stretching. */
  readonly directions: boolean;
}

/** One cell of the lattice. Arrays are row-major [points, points]; row 0 has the smallest y. */
export interface LatticePanel {
  readonly row: number;
  readonly column: number;
  /** Points per side. */
  readonly points: number;
  /** In the quantity of the colour bar, NaN where not known; null: no image, but the note. */
  readonly values: Float32Array | null;
  /** Angles, radians. */
  readonly direction: Float32Array | null;
  /** Fields that are 0 on the decision boundary, which is drawn if there are any. */
  readonly boundaries: readonly Float32Array[];
  /** Lines to be drawn, in the unit square, y upwards. */
  readonly ridges?: readonly UnitPoint[][];
  /** In the panel's corner, e.g. the accuracy; may be empty. */
  readonly label: string;
  /** Says why there is no image. */
  readonly note: string | null;
}

/** Draws a lattice as SVG text: the fields as images, everything else as vectors. */
export function drawLattice(figure: LatticeFigure): Promise<string> {
  return drawVega(latticeSpec(figure));
}

function latticeSpec(figure: LatticeFigure): Spec {
  const layout = layOut(figure);
  const { width, height, stepX, stepY, totalWidth, totalHeight } = layout;
  const title = layout.isToScale ? figure.title : notToScale(figure.title);
  const place = ({ row, column }: LatticePanel) => ({ x: column * stepX, y: row * stepY });
  const shown = figure.panels.flatMap((panel) => {
    const field = printedField(panel, layout);
    return field === null ? [] : [{ panel, field }];
  });
  const magnitudes = finiteMagnitudes(shown.map(({ field }) => field));
  const hasRidges = figure.panels.some(({ ridges }) => ridges !== undefined);
  const limit = figure.colour.limit === "auto" ? niceLimit(magnitudes) : figure.colour.limit;
  return {
    width: totalWidth,
    height: totalHeight,
    padding: {
      left: 82,
      top: title === "" ? 32 : 60,
      right: rightOf(title, totalWidth),
      bottom: 48,
    },
    autosize: "none",
    data: [
      {
        name: "fields",
        values: shown.map(({ panel, field }) => ({
          ...place(panel),
          image: fieldImage(field, { limit, magnification: magnification(field, layout) }),
          ...linesOf(panel, figure, layout),
        })),
      },
      {
        name: "blanks",
        values: figure.panels
          .filter(({ values }) => values === null)
          .map((panel) => ({ ...place(panel), note: wrap(panel.note ?? "", width) })),
      },
      {
        name: "panels",
        values: figure.panels.map((panel) => ({ ...place(panel), label: panel.label })),
      },
      { name: "rows", values: figure.rows.map((label, i) => ({ label, y: i * stepY })) },
      { name: "columns", values: figure.columns.map((label, i) => ({ label, x: i * stepX })) },
    ],
    scales: [
      { name: "x", domain: [...figure.region.x], range: [0, width], zero: false },
      { name: "y", domain: [...figure.region.y], range: [height, 0], zero: false },
    ],
    marks: [
      ...panelMarks(layout, { hasRidges }),
      ...outerAxes(layout, figure.region),
      figureTitle(title),
      colourBar(layout, {
        title: figure.colour.title,
        limit,
        isSaturated: (magnitudes.at(-1) ?? 0) > limit,
      }),
    ],
  };
}

/** The smallest length of the lattice along either side, so that a colour bar and a title are legible. */
const LEAST_LATTICE = 150;
/** The smallest side of a panel in which a field is visible. */
const LEAST_PANEL = 48;

/**
 * Panels are true to scale, unless one of their sides would be too short, and shrink as the lattice grows: 20
 * columns take about 1600 pixels.
 */
function layOut({ rows, columns, region }: LatticeFigure): LatticeLayout {
  const side = Math.max(68, Math.min(300, 820 / Math.max(rows.length, columns.length, 1)));
  const aspect = (region.y[1] - region.y[0]) / (region.x[1] - region.x[0]);
  const least = (panels: number) => Math.max(LEAST_PANEL, LEAST_LATTICE / Math.max(1, panels));
  const trueWidth = side * Math.min(1, 1 / aspect);
  const trueHeight = side * Math.min(1, aspect);
  const width = Math.round(Math.max(trueWidth, Math.min(side, least(columns.length))));
  const height = Math.round(Math.max(trueHeight, Math.min(side, least(rows.length))));
  const gap = side < 100 ? 6 : 10;
  return {
    width,
    height,
    isToScale: Math.abs(width - trueWidth) < 1 && Math.abs(height - trueHeight) < 1,
    stepX: width + gap,
    stepY: height + gap,
    totalWidth: Math.max(1, columns.length) * (width + gap) - gap,
    totalHeight: Math.max(1, rows.length) * (height + gap) - gap,
  };
}

/** Space for the colour bar, and for a title that is wider than the lattice, at about 7.8 pixels per letter. */
function rightOf(title: string, latticeWidth: number): number {
  return Math.max(106, Math.ceil(7.8 * title.length) - latticeWidth);
}

function notToScale(title: string): string {
  return [title, "x and y at different scales"].filter((part) => part !== "").join(" · ");
}

/** The field at no more points than the panel has pixels in print. */
function printedField({ points, values }: LatticePanel, layout: LatticeLayout): SquareField | null {
  return values === null ? null : coarsen({ points, values }, printedSide(layout));
}

function magnification({ points }: SquareField, layout: LatticeLayout): number {
  return Math.floor(printedSide(layout) / points);
}

/** Two pixels of an image per pixel of the page are as many as print can show. */
function printedSide({ width, height }: LatticeLayout): number {
  return 2 * Math.max(width, height);
}

/** Ascending |value| of every finite value. */
function finiteMagnitudes(fields: readonly SquareField[]): Float32Array {
  const all = new Float32Array(fields.reduce((count, { values }) => count + values.length, 0));
  let count = 0;
  for (const { values } of fields) {
    for (const value of values) if (Number.isFinite(value)) all[count++] = Math.abs(value);
  }
  return all.subarray(0, count).sort();
}

/** The 99.5 % quantile of ascending magnitudes, rounded up to a round number. */
function niceLimit(magnitudes: Float32Array): number {
  const quantile = magnitudes[Math.floor(0.995 * (magnitudes.length - 1))] ?? 0;
  if (quantile === 0) return 1;
  const decade = 10 ** Math.floor(Math.log10(quantile));
  return decade * [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((step) => step * decade >= quantile)!;
}

function linesOf(panel: LatticePanel, figure: LatticeFigure, layout: LatticeLayout) {
  const { points, direction, boundaries, ridges } = panel;
  const ticks =
    figure.directions && direction ? tickPath({ points, values: direction }, layout) : "";
  // A contour finer than print would only make the file larger.
  const contours = boundaries.flatMap((values) =>
    zeroContour(coarsen({ points, values }, printedSide(layout))),
  );
  const ridge = ridges === undefined ? {} : { ridge: contourPath(ridges, layout) };
  return { ticks, boundary: contourPath(contours, layout), ...ridge };
}

/** Breaks a note into lines that fit into `width`, at about 6.4 pixels per character. */
function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (6.4 * longer.length < width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.filter((line) => line !== "");
}
