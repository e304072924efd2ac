/** Converts the form of a spec's sections to a description of the networks and their training. */
import type { Snapshot } from "../../shared/cell.ts";
import type { OptionValues, SourceOptions } from "../../shared/datasets/data-set.ts";
import { dataSet } from "../../shared/datasets/registry.ts";
import type { Schedule } from "../../shared/numerics/schedule.ts";
import type { Optimizer } from "../../shared/numerics/training.ts";
import { OUTPUT_ACTIVATIONS } from "./output-activations.ts";
import { scheduleMapSchema } from "./schedule-schema.ts";
import type { Sweep } from "./sweep.ts";
import { optimizerSchema } from "./training-schema.ts";
import type { SectionsForm } from "./variants.ts";

/** What a variant of a sweep determines. */
export type Sections = Pick<Sweep, "network" | "thresholdVariance" | "data" | "training">;

/** Fills in the defaults that follow from other options. */
export function resolveSections({ network, data, training }: SectionsForm): Sections {
  const { activation, outputActivation, thresholdVariance } = network;
  // Values to be met are not between −1 and 1.
  const isOfValues = "targets" in data && data.targets === "values";
  const goesWithLoss = isOfValues ? "linear" : OUTPUT_ACTIVATIONS[training.loss][0];
  return {
    network: { activation, outputActivation: outputActivation ?? goesWithLoss },
    thresholdVariance,
    data: resolveData(data),
    training: resolveTraining(training),
  };
}

/** The options of a data set apart from those that say where it is read. */
export function resolveData({ name, ...given }: SectionsForm["data"]): Sweep["data"] {
  const definition = dataSet(name);
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  const isOption = ([key]: [string, unknown]) => Object.hasOwn(definition.options, key);
  const options = Object.fromEntries(entries.filter(isOption)) as OptionValues;
  if (definition.source === undefined) return { name, options };
  const source = Object.fromEntries(entries.filter((entry) => !isOption(entry)));
  return { name, options, source: source as SourceOptions };
}

function resolveTraining(form: SectionsForm["training"]): Sweep["training"] {
  const { optimizer, learningRate, schedule, stopAtAccuracy, snapshots, ...rest } = form;
  return {
    ...rest,
    ...resolveSchedule(schedule),
    optimizer: typeof optimizer === "string" ? namedOptimizer(optimizer, learningRate) : optimizer,
    stopAtAccuracy: stopAtAccuracy ?? null,
    snapshots: inOrderOfTime(snapshots),
  };
}

/** Nothing for a constant rate: a sweep without a schedule keeps the ids from before schedules existed. */
function resolveSchedule(form: SectionsForm["training"]["schedule"]): { schedule?: Schedule } {
  const schedule = typeof form === "string" ? scheduleMapSchema.parse({ name: form }) : form;
  return schedule.name === "constant" && schedule.warmup === 0 ? {} : { schedule };
}

function namedOptimizer(name: Optimizer["name"], learningRate: number | undefined): Optimizer {
  return optimizerSchema.parse(learningRate === undefined ? { name } : { name, learningRate });
}

function inOrderOfTime(snapshots: readonly Snapshot[]): readonly Snapshot[] {
  const time = (snapshot: Snapshot) => (snapshot === "end" ? Number.POSITIVE_INFINITY : snapshot);
  return [...new Set(snapshots)].sort((a, b) => (time(a) < time(b) ? -1 : 1));
}
