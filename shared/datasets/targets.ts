/** What a network is trained on: follows from how a data set's targets are to be read, and from the loss. */
import type { Loss, TrainingSet } from "../numerics/training.ts";
import type { Samples, TargetKind } from "./data-set.ts";

/** The losses that serve targets of a kind, the default first. */
export function lossesFor(targets: TargetKind): readonly Loss[] {
  if (targets.kind === "values") return ["squared-error"];
  const isOfTwo = classCount(targets) === 2;
  const always: Loss[] = ["squared-error", "softmax-cross-entropy"];
  return isOfTwo ? [...always, "binary-cross-entropy"] : always;
}

/** Output neurons of a network: one for two classes unless the loss compares all, else one a class or value. */
export function outputsFor(targets: TargetKind, loss: Loss): number {
  if (targets.kind === "values") return targets.count;
  const count = classCount(targets);
  return count === 2 && loss !== "softmax-cross-entropy" ? 1 : count;
}

/**
 * The samples with targets as the loss wants them: −1 and +1 for the squared error of classes, one-hot for softmax
 * cross-entropy, 0 and 1 for binary cross-entropy. Values stay as they are.
 */
export function trainingSet(set: Samples, targets: TargetKind, loss: Loss): TrainingSet {
  const isReady = targets.kind === "sign" && loss === "squared-error";
  if (targets.kind === "values" || isReady) return set;
  const { samples, inputs } = set;
  const outputs = outputsFor(targets, loss);
  const no = loss === "squared-error" ? -1 : 0;
  const encoded = new Float32Array(samples * outputs).fill(no);
  for (let i = 0; i < samples; i++) {
    const given = set.targets[i]!;
    const label = targets.kind === "sign" ? Number(given > 0) : given;
    if (outputs > 1) encoded[i * outputs + label] = 1;
    else if (label === 1) encoded[i] = 1;
  }
  return { samples, inputs, targets: encoded };
}

function classCount(targets: Exclude<TargetKind, { kind: "values" }>): number {
  return targets.kind === "sign" ? 2 : targets.count;
}
