/** `network` of a spec. */
import * as z from "zod";
import { choice, real, section } from "./phrases.ts";

const FILE = "the name of a file";

const activation = choice(["tanh", "relu", "sigmoid", "linear"]);

export const networkSchema = section({
  activation: activation.default("tanh").describe("Activation g of the hidden layers."),
  outputActivation: activation
    .optional()
    .describe(
      "Activation of the output layer. Default: tanh for the loss squared-error, linear for softmax-cross-entropy, sigmoid for binary-cross-entropy; of `targets: values` linear.",
    ),
  weights: z
    .string(FILE)
    .min(1, FILE)
    .meta({ title: FILE })
    .optional()
    .describe(
      "Networks to import in place of training new ones: safetensors or ONNX files, relative to the spec's folder. In `axes` alone, in place of `width` and `depth`; `activation` and `outputActivation` say what the files do not. Without `epochs` they are not trained, without `data` nothing is asked of any samples. Default: none.",
    ),
  thresholdVariance: real({ min: 0 })
    .default(0)
    .describe("Variance of the Gaussian initial thresholds θ."),
})
  .prefault({})
  .describe("What all networks have in common.");
