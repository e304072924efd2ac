/** What is wrong with the sections of a spec after values of the axes over parameters are put in. */
import type { Facts } from "../../shared/datasets/content.ts";
import { shapeOf } from "../../shared/datasets/registry.ts";
import { analysesComplaints } from "./analyses-faults.ts";
import { parameterForms } from "./axes-schema.ts";
import { pathsOfOptions } from "./data-schema.ts";
import { combinations, type Lattice } from "./enumerate.ts";
import type { SoundParts } from "./form-faults.ts";
import { formComplaints } from "./form-faults.ts";
import { importedComplaints } from "./imported-faults.ts";
import { PARAMETERS, WEIGHTS } from "./parameters.ts";
import { resolveData } from "./resolve-sections.ts";
import type { SpecForm } from "./schema.ts";
import type { Complaint } from "./spec-text.ts";
import type { GivenSections, ParameterAxis, ParameterValues } from "./sweep.ts";
import { trainingComplaints } from "./training-faults.ts";
import type { SectionsForm } from "./variants.ts";
import { sectionsSchema, withValues } from "./variants.ts";

/** A spec whose form and lattice have no faults. */
export interface VariedSpec {
  readonly form: SpecForm;
  readonly given: GivenSections;
  readonly lattice: Lattice;
  /** Of files that were read. */
  readonly facts: Facts | null;
}

/** Checks every combination of values in the sweep, as far as options depend on each other. */
export function variantComplaints({ form, given, lattice, facts }: VariedSpec): Complaint[] {
  const axes = lattice.axes.parameters ?? [];
  const twice = axes.flatMap(({ path }) => givenTwice(path, given));
  if (twice.length > 0) return twice;
  const { networks } = lattice;
  if (lattice.axes.layers.kind === "imported" && networks === undefined) return [];
  const complaints: Complaint[] = [];
  const regions = new Set<string>();
  const isFirst = unlessSeen();
  for (const values of distinctValues(lattice)) {
    const sections = sectionsSchema.safeParse(withValues(given, values, networks));
    const found = sections.success
      ? [
          ...trainingComplaints({ ...sections.data, field: form.field }, facts),
          ...analysesComplaints({ ...form, ...sections.data }, facts),
          ...importedComplaints(sections.data, networks?.[String(values[WEIGHTS])], facts),
        ]
      : formComplaints(sections.error.issues);
    const fresh = found.filter(isFirst);
    complaints.push(...fresh.map((complaint) => placed(complaint, { axes, values })));
    if (sections.success) regions.add(defaultRegion(sections.data, facts));
  }
  const isOpen = form.field === undefined || (form.field !== "none" && !form.field.region);
  if (isOpen && regions.size > 1) complaints.push(regionLacks(axes));
  return complaints;
}

/** An option that has an axis must not be in its section, too: one of them would be ignored. */
function givenTwice(path: string, given: GivenSections): Complaint[] {
  const steps = path.split(".");
  let at: unknown = given;
  for (const step of steps) {
    if (typeof at !== "object" || at === null) return [];
    at = (at as Record<string, unknown>)[step];
  }
  if (at === undefined) return [];
  return [
    { path: steps, concernsKey: true, expected: `\`${path}\` here or in \`axes\`, not both` },
  ];
}

/**
 * The combinations of those values on which other options depend: names, and epochs, which snapshots and warm-up must
 * not exceed. For the other axes, whose values have all passed their own schemas, the first value represents all.
 */
function* distinctValues(lattice: Lattice): Generator<ParameterValues> {
  const axes = lattice.axes.parameters ?? [];
  const seen = new Set<string>();
  for (const { parameters } of combinations(lattice)) {
    const key = JSON.stringify(
      axes.map(({ path }) => (dependsOnOthers(path) ? parameters[path] : null)),
    );
    if (seen.has(key)) continue;
    seen.add(key);
    yield parameters;
  }
}

function dependsOnOthers(path: string): boolean {
  const kind = PARAMETERS.get(path)?.kind;
  const isCompared = ["training.epochs", "training.schedule.warmup"].includes(path);
  return kind === "name" || kind === "boolean" || isCompared || SHAPING.has(path);
}

/** Paths of the options on which the shape of a data set depends. */
const SHAPING = pathsOfOptions(({ shapes }) => shapes === true);

/** A combination of values, and their axes. */
interface Combination {
  readonly axes: readonly ParameterAxis[];
  readonly values: ParameterValues;
}

/** The complaint with its place: that of the axis whose value is at fault, if there is one. */
function placed(complaint: Complaint, { axes, values }: Combination): Complaint {
  const { concernsKey = false } = complaint;
  const path = complaint.path.join(".");
  const [axis] = axes
    .filter((one) => path === one.path || path.startsWith(`${one.path}.`))
    .sort((a, b) => b.path.length - a.path.length);
  const expected = complaint.expected + others(values, axis?.path);
  if (axis === undefined) return { ...complaint, expected };
  const found = concernsKey ? path.slice(path.lastIndexOf(".") + 1) : values[axis.path];
  return { path: ["axes", axis.path], concernsKey, expected, found: `\`${found}\``, hint: "" };
}

/** The other names of the combination in which the fault appears first. */
function others(values: ParameterValues, except = ""): string {
  const names = Object.entries(values).filter(
    ([path]) => path !== except && PARAMETERS.get(path)?.kind === "name",
  );
  if (names.length === 0) return "";
  return ` (with ${names.map(([path, value]) => `${path} ${value}`).join(", ")})`;
}

function defaultRegion({ data }: SectionsForm, facts: Facts | null): string {
  const shape = shapeOf(resolveData(data), facts);
  return shape?.inputs === 2 ? JSON.stringify(shape.region) : "";
}

function regionLacks(axes: readonly ParameterAxis[]): Complaint {
  const paths = axes.map(({ path }) => path).filter((path) => path.startsWith("data."));
  return {
    path: ["axes", paths[0] ?? WEIGHTS],
    concernsKey: true,
    expected: "a `region` in `field`, because the data sets have different ones",
    found: "none",
    hint: "",
  };
}

/** Passes each complaint once: many combinations may have the same fault. */
function unlessSeen(): (complaint: Complaint) => boolean {
  const seen = new Set<string>();
  return ({ path, expected }) => {
    const key = JSON.stringify([path, expected]);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  };
}

/** Whether a spec has axes over parameters. */
export function isVaried({ axes }: SoundParts): boolean {
  return parameterForms(axes ?? {}).length > 0;
}
