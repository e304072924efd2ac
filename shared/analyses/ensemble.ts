import { decidedClass } from "../numerics/classification.ts";
import type { NetworkShape } from "../numerics/network.ts";
import { entropyOf } from "../numerics/softmax.ts";
import type { SeedsAnalysis } from "./analysis.ts";
import { splitOption } from "./split.ts";

/**
 * What networks that differ in their seed alone say together: H = −Σ_i ⟨x_i⟩ ln⟨x_i⟩ of the mean softmax (Storm et al.,
 * PRL 132, 057301, Fig. 4 c). One output x counts as the probabilities (1 ± x)/2, of a sigmoid as x and 1 − x.
 */
export const ensemble: SeedsAnalysis = {
  name: "ensemble",
  version: 1,
  doc: "Mean output, predictive entropy and disagreement of the networks that differ in their seed alone.",
  options: { at: splitOption },
  reads: "seeds",
  of: ({ at }) => ({ name: "predictions", options: { at: at! } }),
  columns: [
    { name: "members", doc: "Networks in the ensemble." },
    { name: "entropy", unit: "nat", doc: "Mean predictive entropy over the samples." },
    {
      name: "disagreement",
      doc: "Mean share of the networks whose decision is not that of the mean output.",
    },
  ],
  arrays: [
    {
      name: "output",
      dimensions: ["sample", "class"],
      doc: "mean over the networks of what `predictions` stores",
    },
    { name: "entropy", dimensions: ["sample"], unit: "nat", doc: "entropy of the mean output" },
    {
      name: "disagreement",
      dimensions: ["sample"],
      doc: "share of the networks whose decision is not that of the mean output",
    },
  ],
  expects: ({ targets }) => (targets.kind === "values" ? "classes, not values, as targets" : null),
  work: ({ network, samples }) => 10 * network.outputs * (samples.train + samples.test),
  compute({ network, members }) {
    const [samples, width] = members[0]!.output!.shape as [number, number];
    const mean = new Float32Array(samples * width);
    for (const { output } of members) {
      for (let i = 0; i < mean.length; i++)
        mean[i] = mean[i]! + output!.values[i]! / members.length;
    }
    const entropy = Float32Array.from({ length: samples }, (_, s) =>
      entropyAt(network, mean, s * width),
    );
    const disagreement = new Float32Array(samples);
    for (const { output } of members) {
      for (let s = 0; s < samples; s++) {
        const own = decidedClass(network, output!.values, s * width);
        if (own !== decidedClass(network, mean, s * width)) disagreement[s]! += 1 / members.length;
      }
    }
    const average = (values: Float32Array) => values.reduce((a, b) => a + b, 0) / samples;
    return {
      columns: {
        members: members.length,
        entropy: average(entropy),
        disagreement: average(disagreement),
      },
      arrays: {
        output: { shape: [samples, width], values: mean },
        entropy: { shape: [samples], values: entropy },
        disagreement: { shape: [samples], values: disagreement },
      },
    };
  },
};

/** Of probabilities; NaN of outputs that are none, such as those of a linear neuron. */
function entropyAt({ outputs, outputActivation }: NetworkShape, mean: Float32Array, at: number) {
  if (outputs === 1) {
    const p = outputActivation === "sigmoid" ? mean[at]! : (1 + mean[at]!) / 2;
    return p >= 0 && p <= 1 ? entropyOf([p, 1 - p], 0, 2) : Number.NaN;
  }
  let sum = 0;
  for (let i = at; i < at + outputs; i++) sum += mean[i]!;
  return Math.abs(sum - 1) < 1e-3 ? entropyOf(mean, at, outputs) : Number.NaN;
}
