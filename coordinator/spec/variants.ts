/** The variants of a sweep: its sections with one value of each parameter axis put in. */
import type { z } from "zod";
import { dataSchema } from "./data-schema.ts";
import { networkSchema } from "./network-schema.ts";
import { WEIGHTS } from "./parameters.ts";
import { section } from "./phrases.ts";
import type { Sections } from "./resolve-sections.ts";
import { resolveSections } from "./resolve-sections.ts";
import type {
  GivenSections,
  ImportedNetwork,
  ParameterValue,
  ParameterValues,
  Sweep,
} from "./sweep.ts";
import { trainingSchema } from "./training-schema.ts";

/** The sections of a spec that axes may vary. */
export const sectionsSchema = section({
  network: networkSchema,
  data: dataSchema,
  training: trainingSchema,
});

export type SectionsForm = z.output<typeof sectionsSchema>;

/** The networks with these values of the parameters, and their training. */
export function variantOf(sweep: Sweep, values: ParameterValues): Sections {
  if (sweep.given === undefined) {
    const { network, thresholdVariance, data, training } = sweep;
    return { network, thresholdVariance, data, training };
  }
  return resolveSections(sectionsSchema.parse(withValues(sweep.given, values, sweep.networks)));
}

/** The default names of options given by name, for a spec that only varies one of their parameters. */
const NAMED: Readonly<Record<string, string>> = {
  data: "circle",
  "training.optimizer": "sgd",
  "training.schedule": "constant",
};

/**
 * The sections with the values put in. A name becomes a map where one of its parameters is put in.
 * @param networks what was read of imported networks: their shape is put in, too.
 */
export function withValues(
  given: GivenSections,
  values: ParameterValues,
  networks: Sweep["networks"] = {},
): GivenSections {
  const sections = structuredClone(given) as Record<string, unknown>;
  const imported = networks[String(values[WEIGHTS])];
  if (imported !== undefined) putImported(sections, imported);
  // A name before its parameters.
  const inOrder = Object.entries(values).sort(([a], [b]) => depthOf(a) - depthOf(b));
  for (const [path, value] of inOrder) put(sections, path, value);
  return sections;
}

/** An imported network has its own activations, and is asked no more than the spec says. */
function putImported(sections: Record<string, unknown>, { shape }: ImportedNetwork): void {
  const { inputs, outputs, activation, outputActivation } = shape;
  sections.network = { ...(sections.network as object), activation, outputActivation };
  sections.data ??= { name: "none", inputs, outputs };
  sections.training = { epochs: 0, ...(sections.training as object) };
}

function put(sections: Record<string, unknown>, path: string, value: ParameterValue): void {
  const steps = path.split(".");
  const last = steps.pop()!;
  let map = sections;
  steps.forEach((step, i) => {
    const at = steps.slice(0, i + 1).join(".");
    const found = map[step] ?? NAMED[at] ?? {};
    const next = typeof found === "string" ? { name: found } : (found as Record<string, unknown>);
    if (at === "training.optimizer") takeLearningRate(map, next);
    map[step] = next;
    map = next;
  });
  map[last] = value;
}

/** `learningRate` beside an optimizer's name is one of its parameters. */
function takeLearningRate(
  training: Record<string, unknown>,
  optimizer: Record<string, unknown>,
): void {
  if (training.learningRate === undefined || typeof training.optimizer === "object") return;
  optimizer.learningRate = training.learningRate;
  delete training.learningRate;
}

function depthOf(path: string): number {
  return path.split(".").length;
}
