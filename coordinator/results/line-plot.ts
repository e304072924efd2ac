/** Figures of a quantity of the summary against an axis. */
import { UsageError } from "../../shared/errors.ts";
import type { Plan } from "../plan/plan.ts";
import { PARAMETERS } from "../spec/parameters.ts";
import type { Sweep } from "../spec/sweep.ts";
import { analysisColumns } from "./analysis-columns.ts";
import type { LineFigure } from "./figures/line-figure.ts";
import type { PictureValues } from "./picture-axes.ts";
import { axisLabel, namedParameters, pictureAxes, pictureAxis } from "./picture-axes.ts";
import { valuesOf } from "./slices.ts";
import type { SummaryRow } from "./summary.ts";

export interface LineOptions {
  /** One of `LINE_QUANTITIES`, or the column of an analysis of the sweep. */
  readonly quantity: string;
  /** Name or path of an axis of numbers, or one of `ROW_AXES`. */
  readonly against: string;
  /** One line for each value of this axis; null: one line. */
  readonly series: string | null;
  readonly logX: boolean;
}

/** A row of the summary, with its place on every axis. */
export interface PlacedRow {
  readonly row: SummaryRow;
  readonly values: PictureValues;
}

export const LINE_QUANTITIES = {
  lambda1Mean: "mean λ₁",
  lambda1Std: "standard deviation of λ₁",
  lambda1Min: "smallest λ₁",
  lambda1Max: "largest λ₁",
  lambda1Centre: "λ₁ at the centre",
  lambda1Boundary: "λ₁ on the decision boundary",
  testAccuracy: "test accuracy",
  testLoss: "test loss",
  trainAccuracy: "training accuracy",
  trainLoss: "training loss",
  "L*lambda1Centre": "L λ₁ at the centre",
  "L*lambda1Boundary": "L λ₁ on the decision boundary",
} as const;
/** Quantities that are numbers in every row, with their titles. */
const ROW_AXES = {
  width: "width N",
  depth: "depth L",
  weightVariance: "initial weight variance σ_w²",
  logGain: "ln(G N σ_w²)",
  seed: "seed",
  epoch: "epoch",
} as const;

type RowAxis = keyof typeof ROW_AXES;

/**
 * A summary quantity against an axis.
 * @throws UsageError if the axis is not one of numbers, or the sweep does not have it or the quantity.
 */
export function lineFigure(
  { sweep, plan }: { readonly sweep: Sweep; readonly plan: Pick<Plan, "analyses"> },
  rows: readonly PlacedRow[],
  { quantity, against, series, logX }: LineOptions,
): LineFigure {
  const title = titleOf(plan, quantity);
  const axis = numericAxis(sweep, against);
  const name = series === null ? null : pictureAxis(sweep, series);
  const points = rows.flatMap(({ row, values }) => {
    const x = axis.valueIn(row);
    const y = quantityOf(row, quantity);
    if (x === null || y === null) return [];
    return [{ x, y, series: name === null ? "" : axisLabel(name, values[name]!) }];
  });
  return {
    title: sweep.name,
    note: meanNote(sweep, rows, [axis.name, name ?? ""]),
    x: { title: axis.title, log: logX },
    y: { title },
    points,
  };
}

interface NumericAxis {
  readonly name: string;
  readonly title: string;
  valueIn(row: SummaryRow): number | null;
}

function numericAxis(sweep: Sweep, word: string): NumericAxis {
  if (Object.hasOwn(ROW_AXES, word)) {
    const name = word as RowAxis;
    return { name, title: ROW_AXES[name], valueIn: (row) => row[name] };
  }
  const numbers = [...Object.keys(ROW_AXES), ...numericParameters(sweep)];
  const name = pictureAxes(sweep).includes(word) ? word : pictureAxisOr(sweep, word, numbers);
  if (numbers.includes(name)) {
    return { name, title: name, valueIn: ({ parameters }) => Number(parameters[name]) };
  }
  throw new UsageError(
    `expected an axis of numbers to draw against, one of ${numbers.join(", ")}; ${word} has names: try --series ${word}`,
  );
}

function pictureAxisOr(sweep: Sweep, word: string, numbers: readonly string[]): string {
  try {
    return pictureAxis(sweep, word);
  } catch {
    const known = numbers.join(", ");
    throw new UsageError(`expected an axis to draw against, one of ${known}; got ${word}`);
  }
}

function numericParameters({ axes }: Sweep): string[] {
  const numbers = (axes.parameters ?? []).filter(({ path }) => {
    const kind = PARAMETERS.get(path)?.kind;
    return kind === "integer" || kind === "number";
  });
  const first = Object.fromEntries(numbers.map(({ path, values }) => [path, values[0]!]));
  return Object.keys(namedParameters({ parameters: first }));
}

/** What else varies among the points of one line at one place. */
function meanNote(sweep: Sweep, rows: readonly PlacedRow[], drawn: readonly string[]): string {
  const isOfTraining = drawn.includes("epoch");
  const others = pictureAxes(sweep).filter((axis) => {
    if (drawn.includes(axis) || (axis === "snapshot" && isOfTraining)) return false;
    // A gain is drawn as its logarithm; the variance varies with it.
    if (axis === "weightVariance" && drawn.includes("logGain")) return false;
    return valuesOf(rows, axis).length > 1;
  });
  return others.length === 0 ? "" : `mean over ${others.join(", ")}`;
}

function titleOf(plan: Pick<Plan, "analyses">, quantity: string): string {
  if (Object.hasOwn(LINE_QUANTITIES, quantity)) {
    return LINE_QUANTITIES[quantity as keyof typeof LINE_QUANTITIES];
  }
  const columns = analysisColumns(plan);
  if (columns.has(quantity)) return quantity;
  const known = [...Object.keys(LINE_QUANTITIES), ...columns.keys()].join(", ");
  throw new UsageError(`expected a quantity to draw, one of ${known}; got ${quantity}`);
}

function quantityOf(row: SummaryRow, quantity: string): number | null {
  if (Object.hasOwn(row.analyses, quantity)) return row.analyses[quantity]!;
  if (!quantity.startsWith("L*")) return row[quantity as keyof SummaryRow] as number | null;
  const value = row[quantity.slice(2) as "lambda1Centre" | "lambda1Boundary"];
  return value === null ? null : row.depth * value;
}
