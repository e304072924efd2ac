import { sampleHits, sampleLosses } from "../numerics/sample-losses.ts";
import { entropyOf, softmax } from "../numerics/softmax.ts";
import type { SamplesAnalysis } from "./analysis.ts";
import { forwardWorkOf, inBlocks, samplesIn, splitOf, splitOption } from "./split.ts";

/** What the network says at each sample of a split, and how wrong it is. */
export const predictions: SamplesAnalysis = {
  name: "predictions",
  version: 1,
  doc: "Outputs at the samples of a split, with loss and correctness of each.",
  options: { at: splitOption },
  reads: "samples",
  columns: [
    { name: "loss", doc: "Mean loss over the samples." },
    { name: "accuracy", doc: "Share classified correctly; none where targets are values." },
    {
      name: "entropy",
      unit: "nat",
      doc: "Mean entropy of the softmax; only with softmax-cross-entropy.",
    },
  ],
  arrays: [
    {
      name: "output",
      dimensions: ["sample", "class"],
      doc: "softmax of the outputs with softmax-cross-entropy, else the outputs",
    },
    { name: "loss", dimensions: ["sample"], doc: "loss of the sample" },
    {
      name: "correct",
      dimensions: ["sample"],
      doc: "1 if classified correctly, else 0; NaN where targets are values",
    },
  ],
  work: (size, options) => samplesIn(size, options) * forwardWorkOf(size.network),
  compute(subject, options) {
    const { network, engine, loss, targets } = subject;
    const set = splitOf(subject, options);
    const { outputs: width } = network;
    const outputs = new Float64Array(set.samples * width);
    inBlocks(subject, { set, workOfSample: forwardWorkOf(network) }, (inputs, from) => {
      outputs.set(engine.outputs(inputs), from * width);
    });
    const losses = sampleLosses(loss, outputs, set);
    const isOfClasses = targets.kind !== "values";
    const hits = isOfClasses
      ? sampleHits(network, outputs, set)
      : new Float64Array(set.samples).fill(Number.NaN);
    const isSoftmax = loss === "softmax-cross-entropy";
    const shown = isSoftmax ? softmax(outputs, width) : outputs;
    let entropy = isSoftmax ? 0 : Number.NaN;
    for (let s = 0; s < set.samples; s++) entropy += entropyOf(shown, s * width, width);
    const mean = (values: Float64Array) => values.reduce((a, b) => a + b, 0) / set.samples;
    return {
      columns: { loss: mean(losses), accuracy: mean(hits), entropy: entropy / set.samples },
      arrays: {
        output: { shape: [set.samples, width], values: Float32Array.from(shown) },
        loss: { shape: [set.samples], values: Float32Array.from(losses) },
        correct: { shape: [set.samples], values: Float32Array.from(hits) },
      },
    };
  },
};
