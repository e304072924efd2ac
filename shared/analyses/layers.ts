import { distribution } from "../numerics/ranks.ts";
import type { FieldAnalysis } from "./analysis.ts";

/** How the exponent builds up from layer to layer. */
export const layers: FieldAnalysis = {
  name: "layers",
  version: 1,
  doc: "Mean and spread of every layer's λ₁ over a field with `layers: all`.",
  options: {},
  reads: "field",
  columns: [
    { name: "first", unit: "1/layer", doc: "Mean λ₁ of the first hidden layer." },
    { name: "last", unit: "1/layer", doc: "Mean λ₁ of the last hidden layer." },
    { name: "lastStd", unit: "1/layer", doc: "Population standard deviation in the last one." },
  ],
  arrays: [
    { name: "mean", dimensions: ["layer"], unit: "1/layer", doc: "mean λ₁ over the field" },
    {
      name: "std",
      dimensions: ["layer"],
      unit: "1/layer",
      doc: "population standard deviation of λ₁ over the field",
    },
  ],
  expects: ({ field }) => (field?.layers === "all" ? null : "`layers: all` in `field`"),
  work: ({ network, points }) => 10 * points * network.hidden.length,
  compute({ network, grid, lambda1 }) {
    const size = grid.points ** 2;
    const depth = network.hidden.length;
    const found = Array.from({ length: depth }, (_, l) =>
      distribution(lambda1.subarray(l * size, (l + 1) * size)),
    );
    const mean = Float32Array.from(found, (one) => one.mean);
    const std = Float32Array.from(found, (one) => one.std);
    return {
      columns: { first: found[0]!.mean, last: found.at(-1)!.mean, lastStd: found.at(-1)!.std },
      arrays: { mean: { shape: [depth], values: mean }, std: { shape: [depth], values: std } },
    };
  },
};
