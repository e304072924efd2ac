/** `training` of a spec. */
import * as z from "zod";
import { anyOf, choice, integer, list, oneOf, real, section } from "./phrases.ts";
import { scheduleSchema } from "./schedule-schema.ts";

const OPTIMIZERS = ["sgd", "adam", "rmsprop"] as const;

const learningRate = real({ above: 0 });
const stepLength = learningRate.describe("Step length.");
const decay = real({ min: 0, below: 1 });
const epsilon = real({ above: 0 }).default(1e-8).describe("Added to the root in the denominator.");

/** An optimizer with all its parameters. */
export const optimizerSchema = z.discriminatedUnion(
  "name",
  [
    section({
      name: z.literal("sgd").describe("Stochastic gradient descent."),
      learningRate: stepLength.default(0.05),
      momentum: decay.default(0).describe("Share of the last step that is kept."),
    }),
    section({
      name: z.literal("adam").describe("Adam (Kingma and Ba, arXiv 1412.6980)."),
      learningRate: stepLength.default(0.001),
      beta1: decay.default(0.9).describe("Decay of the mean gradient."),
      beta2: decay.default(0.999).describe("Decay of the mean squared gradient."),
      epsilon,
    }),
    section({
      name: z.literal("rmsprop").describe("RMSprop (Tieleman and Hinton)."),
      learningRate: stepLength.default(0.001),
      decay: decay.default(0.9).describe("Decay of the mean squared gradient."),
      epsilon,
    }),
  ],
  oneOf(OPTIMIZERS),
);

const epoch = integer({ min: 0, max: 1_000_000 });

export const trainingSchema = section({
  optimizer: anyOf(
    [choice(OPTIMIZERS), optimizerSchema],
    "`sgd`, `adam`, `rmsprop`, or a map with one of these names and its parameters",
  )
    .default("sgd")
    .describe("By name, or as a map with `name` and parameters."),
  learningRate: learningRate
    .optional()
    .describe(
      "Step length of an optimizer given by name. Default: 0.05 for sgd, 0.001 for adam and rmsprop.",
    ),
  schedule: scheduleSchema,
  loss: choice(["squared-error", "softmax-cross-entropy", "binary-cross-entropy"])
    .default("squared-error")
    .describe("What training minimises."),
  batch: integer({ min: 1, max: 1_000_000 }).default(128).describe("Samples per batch."),
  epochs: epoch.default(12).describe("Passes over the training samples."),
  weightDecay: real({ min: 0 })
    .default(0)
    .describe("Coefficient of w added to the gradient of every weight w, not of thresholds."),
  freeze: choice(["none", "hidden"])
    .default("none")
    .describe(
      "`hidden`: only the output layer learns (random features). With thresholds 0 these are odd functions and cannot learn an even one such as circle: give `thresholdVariance`.",
    ),
  stopAtAccuracy: real({ above: 0, max: 1 })
    .optional()
    .describe(
      "Training ends after the first epoch whose test accuracy reaches this. Default: never early.",
    ),
  snapshots: list(
    anyOf([epoch, z.literal("end")], "an epoch (an integer ≥ 0) or `end`"),
    "a list of epochs and `end`",
  )
    .default(["end"])
    .describe(
      "After which epochs to keep weights and compute fields: 0 is the initial network, `end` the trained one.",
    ),
})
  .prefault({})
  .describe("How every network is trained.");
