import { compile, type TopLevelSpec } from "vega-lite";
import { drawVega } from "./vega-svg.ts";

/** A quantity against a parameter, one line a series, as Fig. 3 of Storm et al., PRL 132, 057301. */
export interface LineFigure {
  readonly title: string;
  readonly x: LineAxis;
  readonly y: LineAxis;
  /** In any order; points of one series and one x are realisations. Series appear in order of first use. */
  readonly points: readonly LinePoint[];
}

export interface LineAxis {
  readonly title: string;
  /** Logarithmic; the default is linear. */
  readonly log?: boolean;
}

export interface LinePoint {
  readonly x: number;
  readonly y: number;
  readonly series: string;
}

/** Colours of Okabe and Ito, which the colour-blind can tell apart; https://jfly.uni-koeln.de/color/ */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"];
const SHAPES = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross"];

/** Draws a line through the means of each series, with standard errors, and faintly the single points. */
export function drawLines(figure: LineFigure): Promise<string> {
  return drawVega(compile(lineSpec(figure)).spec);
}

function lineSpec({ title, x, y, points }: LineFigure): TopLevelSpec {
  const drawn = points.filter((point) => isDrawable(point.x, x) && isDrawable(point.y, y));
  const series = [...new Set(points.map((point) => point.series))];
  const parameters = [...new Set(drawn.map((point) => point.x))].sort((a, b) => a - b);
  const left = points.length - drawn.length;
  const footnote = left === 0 ? [] : [`${left} of ${points.length} points left out: not finite`];
  const isNamed = series.some((name) => name !== "");
  return {
    width: 440,
    height: 320,
    padding: 12,
    title: { text: title, subtitle: footnote, anchor: "start", offset: 12, subtitleFontSize: 11 },
    layer: [
      {
        data: { values: drawn },
        mark: { type: "point", filled: true, size: 16, opacity: 0.3 },
        encoding: { y: { field: "y" } },
      },
      {
        data: { values: means(drawn) },
        mark: { type: "rule", strokeWidth: 1.2 },
        encoding: { y: { field: "low" }, y2: { field: "high" } },
      },
      {
        data: { values: means(drawn) },
        mark: { type: "line", strokeWidth: 1.5, point: { filled: true, size: 50 } },
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
        axis: parameters.length <= MOST_TICKS ? { values: parameters, format: "~g" } : {},
      },
      y: { type: "quantitative", title: y.title, scale: scaleOf(y) },
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

/** With so few parameters each has its own tick. */
const MOST_TICKS = 8;

interface Mean {
  readonly x: number;
  readonly series: string;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Mean of the realisations at each x of each series; the bar is the standard error of the mean, or the
 * whole range of fewer than three.
 */
function means(points: readonly LinePoint[]): Mean[] {
  const groups = new Map<string, LinePoint[]>();
  for (const point of points) {
    const key = `${point.series} ${point.x}`;
    groups.set(key, [...(groups.get(key) ?? []), point]);
  }
  return [...groups.values()].map((group) => {
    const ys = group.map(({ y }) => y);
    const { x, series } = group[0]!;
    const mean = ys.reduce((sum, y) => sum + y, 0) / ys.length;
    if (ys.length < 3) return { x, series, mean, low: Math.min(...ys), high: Math.max(...ys) };
    const squares = ys.reduce((sum, y) => sum + (y - mean) ** 2, 0);
    const error = Math.sqrt(squares / (ys.length - 1) / ys.length);
    return { x, series, mean, low: mean - error, high: mean + error };
  });
}

function isDrawable(value: number, { log = false }: LineAxis): boolean {
  return Number.isFinite(value) && (!log || value > 0);
}

/** Vega-Lite warns of `zero` on a logarithmic scale, which has none. */
function scaleOf({ log = false }: LineAxis) {
  return log ? ({ type: "log" } as const) : ({ type: "linear", zero: false } as const);
}
