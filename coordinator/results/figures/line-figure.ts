import { compile, type TopLevelSpec } from "vega-lite";
import { type SeriesPoint, seriesMeans } from "./series-means.ts";
import { drawVega, INK } from "./vega-svg.ts";

/** A quantity against a parameter, one line per series, as Fig. 3 of Storm et al., PRL 132, 057301. */
export interface LineFigure {
  readonly title: string;
  /** Says what the means are over; may be empty. */
  readonly note?: string;
  readonly x: LineAxis;
  readonly y: LineAxis;
  /** In any order; points of one series and one x are realisations. Series appear in order of first use. */
  readonly points: readonly SeriesPoint[];
}

export interface LineAxis {
  readonly title: string;
  /** Logarithmic; the default is linear. */
  readonly log?: boolean;
}

/** Colours of Okabe and Ito, which colour-blind people can distinguish; https://jfly.uni-koeln.de/color/ */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"];
const SHAPES = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross"];

/** Draws a line through the means of each series, with standard errors, and faintly the single points. */
export function drawLines(figure: LineFigure): Promise<string> {
  return drawVega(compile(lineSpec(figure)).spec);
}

function lineSpec({ title, note = "", x, y, points }: LineFigure): TopLevelSpec {
  const drawn = points.filter((point) => isDrawable(point.x, x) && isDrawable(point.y, y));
  const series = [...new Set(points.map((point) => point.series))];
  const parameters = [...new Set(drawn.map((point) => point.x))].sort((a, b) => a - b);
  const means = seriesMeans(drawn);
  const left = points.length - drawn.length;
  const reason = x.log || y.log ? "not finite or not above 0" : "not finite";
  const footnote = left > 0 ? `${left} of ${points.length} points left out: ${reason}` : "";
  const subtitle = [note, footnote].filter((text) => text !== "");
  const isNamed = series.some((name) => name !== "");
  return {
    width: 440,
    height: 320,
    padding: 12,
    config: { view: { stroke: INK }, axis: { grid: false } },
    title: { text: title, anchor: "start", offset: 12, ...(subtitle.length > 0 && { subtitle }) },
    layer: [
      {
        data: { values: drawn },
        mark: { type: "point", filled: true, size: 16, opacity: 0.3 },
        encoding: { y: { field: "y" } },
      },
      {
        data: { values: means },
        mark: { type: "rule", strokeWidth: 1.2 },
        encoding: { y: { field: "low" }, y2: { field: "high" } },
      },
      {
        data: { values: means },
        mark: { type: "line", strokeWidth: 1.5, point: { filled: true, size: 40 } },
        encoding: {
          y: { field: "mean" },
          shape: {
            field: "series",
            type: "nominal",
            title: null,
            scale: { domain: series, range: series.map((_, i) => SHAPES[i % SHAPES.length]!) },
            legend: isNamed ? { symbolOpacity: 1 } : null,
          },
        },
      },
    ],
    encoding: {
      x: {
        field: "x",
        type: "quantitative",
        title: x.title,
        scale: { ...scaleOf(x), nice: false, padding: 16 },
        axis: parameters.length <= MOST_TICKS ? ticksAt(parameters) : ticksOf(x, parameters),
      },
      y: {
        type: "quantitative",
        title: y.title,
        scale: scaleOf(y),
        axis: ticksOf(
          y,
          drawn.map((point) => point.y),
        ),
      },
      color: {
        field: "series",
        type: "nominal",
        title: null,
        scale: { domain: series, range: series.map((_, i) => COLOURS[i % COLOURS.length]!) },
        legend: isNamed ? { symbolOpacity: 1 } : null,
      },
    },
  };
}

/** Up to so many parameters, each has its own tick. */
const MOST_TICKS = 8;

/** Ticks at the given places, each with its number; a format alone may leave labels out of a log axis. */
function ticksAt(values: number[]) {
  return { values, labelExpr: "format(datum.value, '.6~g')" };
}

/** From two decades on, a logarithmic axis labels only the powers of ten. */
function ticksOf({ log = false }: LineAxis, values: readonly number[]) {
  if (!log) return { format: "~f" };
  const from = Math.floor(Math.log10(Math.min(...values)));
  const decades = Math.ceil(Math.log10(Math.max(...values))) - from;
  if (!(decades >= 2)) return {};
  return ticksAt(Array.from({ length: decades + 1 }, (_, i) => Number(`1e${from + i}`)));
}

function isDrawable(value: number, { log = false }: LineAxis): boolean {
  return Number.isFinite(value) && (!log || value > 0);
}

/** Vega-Lite warns of `zero` on a logarithmic scale, which has none. */
function scaleOf({ log = false }: LineAxis) {
  return log ? ({ type: "log" } as const) : ({ type: "linear", zero: false } as const);
}
