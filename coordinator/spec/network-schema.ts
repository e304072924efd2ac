/** `network` of a spec. */
import { choice, real, section } from "./phrases.ts";

const activation = choice(["tanh", "relu", "sigmoid", "linear"]);

export const networkSchema = section({
  activation: activation.default("tanh").describe("Activation g of the hidden layers."),
  outputActivation: activation
    .optional()
    .describe(
      "Activation of the output layer. Default: tanh for the loss squared-error, linear for softmax-cross-entropy, sigmoid for binary-cross-entropy; of `targets: values` linear.",
    ),
  thresholdVariance: real({ min: 0 })
    .default(0)
    .describe("Variance of the Gaussian initial thresholds θ."),
})
  .prefault({})
  .describe("What all networks have in common.");
