/** From the form of a spec to the sweep that it describes. */
import type { Snapshot } from "../../shared/cell.ts";
import { dataSet } from "../../shared/datasets/registry.ts";
import type { Schedule } from "../../shared/numerics/schedule.ts";
import type { Optimizer } from "../../shared/numerics/training.ts";
import { axisValues, varianceValues } from "./axis-values.ts";
import { gridSchema } from "./field-schema.ts";
import { OUTPUT_ACTIVATIONS } from "./output-activations.ts";
import { scheduleMapSchema } from "./schedule-schema.ts";
import type { SpecForm } from "./schema.ts";
import type { Axes, AxisName, Sweep } from "./sweep.ts";
import { optimizerSchema } from "./training-schema.ts";

const DEFAULT_GRID = gridSchema.parse({});

/** The sweep that a spec without faults describes; `name` is what it is called if it does not say. */
export function resolveSweep(form: SpecForm, { name }: { name: string }): Sweep {
  const { activation, outputActivation, thresholdVariance } = form.network;
  const [goesWithLoss] = OUTPUT_ACTIVATIONS[form.training.loss];
  return {
    name: form.name ?? name,
    axes: resolveAxes(form.axes),
    zip: resolveZip(form.zip),
    where: [form.where].flat(),
    network: { activation, outputActivation: outputActivation ?? goesWithLoss },
    thresholdVariance,
    ...resolveDataAndField(form),
    training: resolveTraining(form.training),
    engine: form.engine,
  };
}

function resolveDataAndField({ data, field }: SpecForm): Pick<Sweep, "data" | "field"> {
  const { name, ...options } = data;
  const definition = dataSet(name);
  const grid = field ?? (definition.inputs === 2 ? DEFAULT_GRID : "none");
  return {
    data: { name, options },
    field: grid === "none" ? null : { ...grid, region: grid.region ?? definition.region(options) },
  };
}

/** @throws RangeError for axes that have neither `hidden` nor both `width` and `depth`. */
export function resolveAxes({
  width,
  depth,
  hidden,
  weightVariance,
  seed,
}: SpecForm["axes"]): Axes {
  const integers = { isInteger: true };
  const { kind, list } = varianceValues(weightVariance);
  const rest = {
    weightVariance: { kind, values: list() },
    seed: axisValues(seed, integers).list(),
  };
  if (hidden) return { layers: { kind: "explicit", hidden }, ...rest };
  if (width === undefined || depth === undefined) throw new RangeError("axes without networks");
  const layers = {
    kind: "lattice",
    width: axisValues(width, integers).list(),
    depth: axisValues(depth, integers).list(),
  } as const;
  return { layers, ...rest };
}

export function resolveZip(zip: SpecForm["zip"]): readonly (readonly AxisName[])[] {
  if (zip.some((entry) => typeof entry === "string")) return [zip as AxisName[]];
  return zip as AxisName[][];
}

function resolveTraining(form: SpecForm["training"]): Sweep["training"] {
  const { optimizer, learningRate, schedule, stopAtAccuracy, snapshots, ...rest } = form;
  return {
    ...rest,
    ...resolveSchedule(schedule),
    optimizer: typeof optimizer === "string" ? namedOptimizer(optimizer, learningRate) : optimizer,
    stopAtAccuracy: stopAtAccuracy ?? null,
    snapshots: inOrderOfTime(snapshots),
  };
}

/** Nothing for a rate that stays: a sweep without a schedule has the ids that it had before there were any. */
function resolveSchedule(form: SpecForm["training"]["schedule"]): { schedule?: Schedule } {
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
