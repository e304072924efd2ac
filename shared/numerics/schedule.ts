/** How the learning rate changes during a training: written once, for all engines. */
import { cosPi, exp, log } from "./elementary.ts";
import { integerPower } from "./optimizers.ts";

/**
 * The shape in which the rate falls once the warm-up is over; e counts the epochs from there, fractions
 * included, and E is the number of epochs from there to the end.
 *
 * - `constant`: 1
 * - `cosine`: to + (1 − to)(1 + cos(πe/E))/2 (Loshchilov and Hutter, arXiv 1608.03983, Eq. 5)
 * - `step`: factor^⌊e/every⌋
 * - `exponential`: factor^e
 */
export type Schedule = (
  | { readonly name: "constant" }
  /** `to`: the fraction of the rate at which the training ends, 0…1. */
  | { readonly name: "cosine"; readonly to: number }
  /** `every`: epochs, ≥ 1. `factor`: in (0, 1]. */
  | { readonly name: "step"; readonly every: number; readonly factor: number }
  | { readonly name: "exponential"; readonly factor: number }
) & {
  /** Epochs in which the rate first rises to its full value, by equal amounts per step; ≥ 0. */
  readonly warmup: number;
};

/** A training's length. */
export interface TrainingLength {
  /** Updates in one epoch: ⌈samples/batch⌉. */
  readonly stepsPerEpoch: number;
  readonly epochs: number;
}

/**
 * The factor of the optimiser's rate in each step, counted from 0; in [0, 1]. A pure function of the step: a training
 * that continues from a checkpoint has the rates that it would have had.
 */
export function rateFactors(
  schedule: Schedule,
  { stepsPerEpoch, epochs }: TrainingLength,
): (step: number) => number {
  const warmup = schedule.warmup * stepsPerEpoch; // in steps, perhaps not a whole number
  const rest = epochs * stepsPerEpoch - warmup;
  const shape = shapeOf(schedule);
  return (step) => {
    if (step + 1 < warmup) return (step + 1) / warmup;
    const since = Math.max(0, step - warmup);
    return shape({
      epochs: since / stepsPerEpoch,
      share: rest > 0 ? Math.min(1, since / rest) : 0,
    });
  };
}

/** A training's position after its warm-up. */
interface Place {
  readonly epochs: number;
  /** Fraction of the steps after the warm-up, 0…1. */
  readonly share: number;
}

function shapeOf(schedule: Schedule): (place: Place) => number {
  switch (schedule.name) {
    case "constant":
      return () => 1;
    case "cosine":
      return ({ share }) => schedule.to + ((1 - schedule.to) * (1 + cosPi(share))) / 2;
    case "step":
      return ({ epochs }) => integerPower(schedule.factor, Math.floor(epochs / schedule.every));
    case "exponential": {
      const logFactor = log(schedule.factor);
      return ({ epochs }) => exp(epochs * logFactor);
    }
  }
}
