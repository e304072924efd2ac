/** `training.schedule` of a spec. */
import * as z from "zod";
import { anyOf, choice, integer, real, section } from "./phrases.ts";

const SCHEDULES = ["constant", "cosine", "step", "exponential"] as const;

/** Those that need no parameter. */
const PLAIN = ["constant", "cosine"] as const;

const warmup = real({ min: 0, max: 1_000_000 })
  .default(0)
  .describe("Epochs in which the rate first rises in equal steps to its full value.");
const factor = real({ above: 0, max: 1 });

const FORM =
  "`constant`, `cosine`, or a map with `name` one of `constant`, `cosine`, `step`, `exponential`, and its parameters";

/** A schedule with all its parameters. */
export const scheduleMapSchema = z.discriminatedUnion(
  "name",
  [
    section({
      name: z.literal("constant").describe("The rate is constant."),
      warmup,
    }),
    section({
      name: z
        .literal("cosine")
        .describe("Half a period of a cosine, over all epochs (arXiv 1608.03983)."),
      to: real({ min: 0, max: 1 })
        .default(0)
        .describe("The fraction of the rate that is left at the end."),
      warmup,
    }),
    section({
      name: z.literal("step").describe("Is multiplied by `factor` every `every` epochs."),
      every: integer({ min: 1, max: 1_000_000 }).describe("Epochs from one step to the next."),
      factor: factor.default(0.1).describe("The factor by which each step multiplies the rate."),
      warmup,
    }),
    section({
      name: z.literal("exponential").describe("Falls exponentially, a little in each step."),
      factor: factor.describe("The factor by which each epoch multiplies the rate."),
      warmup,
    }),
  ],
  { error: ({ code }) => (code === "invalid_union" ? `one of ${list(SCHEDULES)}` : FORM) },
);

export const scheduleSchema = anyOf([choice(PLAIN), scheduleMapSchema], FORM)
  .default("constant")
  .describe(
    "How the learning rate changes from step to step: by name, or as a map with `name` and parameters.",
  );

function list(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(", ");
}
