/** What is wrong with data, network, training and field of a spec taken together. */
import type { Facts } from "../../shared/datasets/content.ts";
import type { TargetKind } from "../../shared/datasets/data-set.ts";
import { shapeOf } from "../../shared/datasets/registry.ts";
import { lossesFor } from "../../shared/datasets/targets.ts";
import type { SoundParts } from "./form-faults.ts";
import { OUTPUT_ACTIVATIONS } from "./output-activations.ts";
import { oneOf } from "./phrases.ts";
import { planeComplaints } from "./plane-faults.ts";
import { resolveData } from "./resolve-sections.ts";
import type { Complaint } from "./spec-text.ts";

/** Checks the parts of a spec whose form has no faults. */
export function trainingComplaints(parts: SoundParts, facts: Facts | null): Complaint[] {
  return [
    ...trainingOnNothing(parts),
    ...lossOfData(parts, facts),
    ...stopOfData(parts, facts),
    ...outputOfLoss(parts),
    ...twoLearningRates(parts),
    ...lateSnapshots(parts),
    ...longWarmup(parts),
    ...fieldOfData(parts, facts),
  ];
}

function trainingOnNothing({ data, training }: SoundParts): Complaint[] {
  if (data?.name !== "none" || !training?.epochs) return [];
  const expected = "a data set with samples, as the networks are trained; or `epochs: 0`";
  return [{ path: ["data", "name"], expected, found: "`none`", hint: "" }];
}

function lossOfData({ data, training }: SoundParts, facts: Facts | null): Complaint[] {
  if (!data || !training?.loss) return [];
  const shape = shapeOf(resolveData(data), facts);
  if (shape === null) return [];
  const { targets } = shape;
  const losses = lossesFor(targets);
  if (losses.includes(training.loss)) return [];
  const expected = `${oneOf(losses)}, as data set \`${data.name}\` has ${phraseFor(targets)}`;
  return [{ path: ["training", "loss"], expected }];
}

function stopOfData({ data, training }: SoundParts, facts: Facts | null): Complaint[] {
  if (!data || training?.stopAtAccuracy === undefined) return [];
  if (shapeOf(resolveData(data), facts)?.targets.kind !== "values") return [];
  const expected = "no accuracy to stop at, as the targets are values";
  return [{ path: ["training", "stopAtAccuracy"], concernsKey: true, expected }];
}

function phraseFor(targets: TargetKind): string {
  if (targets.kind === "values") return "values as targets";
  return targets.kind === "sign" ? "targets -1 and +1" : `${targets.count} classes`;
}

function outputOfLoss({ training, network }: SoundParts): Complaint[] {
  if (!training?.loss || !network?.outputActivation) return [];
  if (network.weights !== undefined && training.epochs === 0) return []; // nothing is trained
  const allowed = OUTPUT_ACTIVATIONS[training.loss];
  if (allowed.includes(network.outputActivation)) return [];
  const expected = `${oneOf(allowed)} with the loss \`${training.loss}\``;
  return [{ path: ["network", "outputActivation"], expected }];
}

function twoLearningRates({ training }: SoundParts): Complaint[] {
  const { optimizer, learningRate } = training ?? {};
  if (typeof optimizer !== "object" || learningRate === undefined) return [];
  const expected = "`learningRate` inside `optimizer`, which is a map here";
  return [{ path: ["training", "learningRate"], concernsKey: true, expected, hint: "" }];
}

function lateSnapshots({ training }: SoundParts): Complaint[] {
  const { epochs, snapshots } = training ?? {};
  if (epochs === undefined || snapshots === undefined) return [];
  return snapshots.flatMap((snapshot, i) => {
    if (snapshot === "end" || snapshot <= epochs) return [];
    const expected = `an epoch ≤ ${epochs}, the \`epochs\` of the training`;
    return [{ path: ["training", "snapshots", i], expected }];
  });
}

function longWarmup({ training }: SoundParts): Complaint[] {
  const { epochs, schedule } = training ?? {};
  if (epochs === undefined || typeof schedule !== "object" || schedule.warmup <= epochs) return [];
  const expected = `a warm-up of at most ${epochs} epochs, the \`epochs\` of the training`;
  return [{ path: ["training", "schedule", "warmup"], expected }];
}

function fieldOfData({ data, field }: SoundParts, facts: Facts | null): Complaint[] {
  if (!data || typeof field !== "object") return [];
  const { inputs = 2 } = shapeOf(resolveData(data), facts) ?? {};
  if (field.plane !== undefined) return planeComplaints(field, data, facts);
  if (inputs === 2) return [];
  const expected = `\`none\` or a \`plane\`, as data set \`${data.name}\` has ${inputs} inputs and not two`;
  return [{ path: ["field"], expected }];
}
