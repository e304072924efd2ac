/** What is wrong with an imported network, given its data set and training. */
import type { Facts } from "../../shared/datasets/content.ts";
import { shapeOf } from "../../shared/datasets/registry.ts";
import { outputsFor } from "../../shared/datasets/targets.ts";
import { WEIGHTS } from "./parameters.ts";
import { resolveData } from "./resolve-sections.ts";
import type { Complaint } from "./spec-text.ts";
import type { ImportedNetwork } from "./sweep.ts";
import type { SectionsForm } from "./variants.ts";

export function importedComplaints(
  { data, training }: SectionsForm,
  network: ImportedNetwork | undefined,
  facts: Facts | null,
): Complaint[] {
  const shape = shapeOf(resolveData(data), facts);
  if (network === undefined || shape === null) return [];
  const { inputs, outputs } = network.shape;
  const expected = { inputs: shape.inputs, outputs: outputsFor(shape.targets, training.loss) };
  if (inputs === expected.inputs && outputs === expected.outputs) return [];
  const set = `data set \`${data.name}\` with loss \`${training.loss}\``;
  return [
    {
      path: WEIGHTS.split("."),
      expected: `networks of ${expected.inputs} and ${expected.outputs} inputs and outputs, as ${set} has, not of ${inputs} and ${outputs}`,
    },
  ];
}
