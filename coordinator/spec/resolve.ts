/** Converts the form of a spec to the sweep that it describes. */
import { shapeOf } from "../../shared/datasets/registry.ts";
import { parameterForms } from "./axes-schema.ts";
import { axisNamed } from "./axis-names.ts";
import { axisValues, parameterValues, varianceValues } from "./axis-values.ts";
import { WEIGHTS } from "./parameters.ts";
import { resolveAnalyses } from "./resolve-analyses.ts";
import { gridOf } from "./resolve-field.ts";
import { resolveSections } from "./resolve-sections.ts";
import type { SpecForm } from "./schema.ts";
import type { Axes, AxisName, GivenSections, ParameterAxis, Sweep, SweepContent } from "./sweep.ts";
import { sectionsSchema, withValues } from "./variants.ts";

/** What `resolveSweep` needs besides the form. */
export interface ResolveContext {
  /** The sweep's name if its spec does not give one. */
  readonly name: string;
  /** The sections as written. */
  readonly given: GivenSections;
  /** What its files hold, if it has any and they have been read. */
  readonly content: SweepContent | undefined;
  readonly networks: Sweep["networks"];
}

/** The sweep that a spec without faults describes. */
export function resolveSweep(
  form: SpecForm,
  { name, given, content, networks }: ResolveContext,
): Sweep {
  const axes = resolveAxes(form.axes);
  const { parameters = [] } = axes;
  const first = Object.fromEntries(parameters.map(({ path, values }) => [path, values[0]!]));
  const isVaried = parameters.length > 0;
  const sections = resolveSections(
    isVaried ? sectionsSchema.parse(withValues(given, first, networks)) : form,
  );
  return {
    name: form.name ?? name,
    axes,
    zip: resolveZip(form.zip, parameters),
    where: [form.where].flat(),
    ...sections,
    field: gridOf(form.field, shapeOf(sections.data, content?.facts ?? null)),
    ...(form.analyses.length > 0 ? { analyses: resolveAnalyses(form.analyses) } : {}),
    ...(content ? { content } : {}),
    ...(networks ? { networks } : {}),
    engine: form.engine,
    ...(isVaried ? { given } : {}),
  };
}

/** @throws RangeError for axes that have neither files of networks, nor `hidden`, nor both `width` and `depth`. */
export function resolveAxes(axes: SpecForm["axes"]): Axes {
  const { width, depth, hidden, weightVariance, seed } = axes;
  const integers = { isInteger: true };
  const { kind, list } = varianceValues(weightVariance);
  const parameters = parameterForms(axes).map(([parameter, form]): ParameterAxis => {
    return { path: parameter.path, values: parameterValues(parameter, form).list() };
  });
  const rest = {
    weightVariance: { kind, values: list() },
    seed: axisValues(seed, integers).list(),
    ...(parameters.length > 0 ? { parameters } : {}),
  };
  if (parameters.some(({ path }) => path === WEIGHTS)) {
    const weightVariance = { kind: "absolute", values: [0] } as const; // they are not random
    return { layers: { kind: "imported" }, ...rest, weightVariance };
  }
  if (hidden) return { layers: { kind: "explicit", hidden }, ...rest };
  if (width === undefined || depth === undefined) throw new RangeError("axes without networks");
  const layers = {
    kind: "lattice",
    width: axisValues(width, integers).list(),
    depth: axisValues(depth, integers).list(),
  } as const;
  return { layers, ...rest };
}

/** Groups of axes, each under its own name or the path of its parameter. */
export function resolveZip(
  zip: SpecForm["zip"],
  parameters: readonly ParameterAxis[],
): readonly (readonly AxisName[])[] {
  const paths = parameters.map(({ path }) => path);
  const groups = zip.some((entry) => typeof entry === "string") ? [zip as string[]] : zip;
  return (groups as string[][]).map((group) => group.map((word) => axisNamed(word, paths) ?? word));
}
