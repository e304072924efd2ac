import type { Activation } from "../../shared/numerics/network.ts";
import type { Loss } from "../../shared/numerics/training.ts";

/** Activations of the output layer that each loss allows, the default first. */
export const OUTPUT_ACTIVATIONS: Readonly<Record<Loss, readonly [Activation, ...Activation[]]>> = {
  "squared-error": ["tanh", "linear"],
  "softmax-cross-entropy": ["linear"],
  "binary-cross-entropy": ["sigmoid"],
};
