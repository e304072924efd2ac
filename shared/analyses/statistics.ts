/** The statistics of a field, which are computed with every field: an analysis that need not be asked for. */
import type { Column } from "./analysis.ts";

export const statistics: {
  readonly name: string;
  readonly doc: string;
  /** In `summary.csv` by these names, without a prefix. */
  readonly columns: readonly Column[];
} = {
  name: "statistics",
  doc: "Statistics of λ₁ of the last hidden layer over the points of a field.",
  columns: [
    { name: "lambda1Mean", unit: "1/layer", doc: "Mean λ₁." },
    { name: "lambda1Std", unit: "1/layer", doc: "Population standard deviation of λ₁." },
    { name: "lambda1Min", unit: "1/layer", doc: "Smallest λ₁." },
    { name: "lambda1Max", unit: "1/layer", doc: "Largest λ₁." },
    {
      name: "lambda1Centre",
      unit: "1/layer",
      doc: "Mean over the points of the middle tenth of each side.",
    },
    {
      name: "lambda1Boundary",
      unit: "1/layer",
      doc: "Mean over the points next to a change of the decision.",
    },
    { name: "notFinite", doc: "Points whose λ₁ is not finite." },
    {
      name: "saturated",
      doc: "Points with a layer so saturated that float32 cannot hold its slopes; only in sweeps that have any.",
    },
  ],
};
