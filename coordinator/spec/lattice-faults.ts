/** What is wrong with the axes of a spec, and with their combinations. */
import { exp } from "../../shared/numerics/elementary.ts";
import { parameterForms } from "./axes-schema.ts";
import { axisNamed, LATTICE_AXES } from "./axis-names.ts";
import {
  type AxisValues,
  axisValues,
  listedValues,
  parameterValues,
  varianceValues,
} from "./axis-values.ts";
import { type Dimension, dimensionsOf } from "./dimensions.ts";
import type { SoundParts } from "./form-faults.ts";
import type { Complaint, Path } from "./spec-text.ts";
import { spellingHint } from "./spelling.ts";
import type { AxisName } from "./sweep.ts";

/** More combinations of axis values than this are refused. */
export const MAX_COMBINATIONS = 2_000_000;

/** More hidden layers in the networks of different shape are refused. */
export const MAX_LAYERS = 20_000_000;

interface WrittenAxis {
  readonly path: Path;
  readonly values: AxisValues<unknown>;
  /** Whether the spec lists the values individually at `path`. */
  readonly isList: boolean;
  /** What two values are compared by to find equal networks; the value itself if absent. */
  readonly identity?: ((value: unknown) => unknown) | undefined;
}

type WrittenAxes = ReadonlyMap<AxisName, WrittenAxis>;

/** Zipped axes, and the place in the spec that zips them. */
interface Group {
  readonly path: Path;
  readonly axes: readonly AxisName[];
}

/** Checks the parts of a spec whose form has no faults. */
export function latticeComplaints({ axes = {}, zip = [] }: SoundParts): Complaint[] {
  const written = writtenAxes(axes);
  const groups = zipGroups(zip, written);
  const zipComplaints = [
    ...unusableMembers(groups, written),
    ...groups.flatMap((group) => unequalLengths(group, written)),
  ];
  // A faulty zip does not show how many combinations were meant, or which values go together.
  if (zipComplaints.length > 0) return zipComplaints;
  const dimensions = dimensionsOf(
    new Map([...written].map(([axis, { values }]) => [axis, values.length])),
    groups.map((group) => group.axes),
  );
  const tooMany = tooManyCombinations(dimensions);
  if (tooMany.length > 0) return tooMany;
  const tooDeep = tooManyLayers(written, groups);
  if (tooDeep.length > 0) return tooDeep;
  return dimensions.flatMap((dimension) => repetition(dimension, { written, groups }));
}

/** Axes whose form has no faults, slowest first. */
function writtenAxes(axes: NonNullable<SoundParts["axes"]>): WrittenAxes {
  const { seed, weightVariance, hidden, width, depth } = axes;
  const written = new Map<AxisName, WrittenAxis>();
  const add = (axis: AxisName, form: unknown, values: AxisValues<unknown>) => {
    written.set(axis, { path: ["axes", axis], values, isList: Array.isArray(form) });
  };
  if (seed !== undefined) add("seed", seed, axisValues(seed, { isInteger: true }));
  for (const [parameter, form] of parameterForms(axes)) {
    add(parameter.path, form, parameterValues(parameter, form));
  }
  if (weightVariance !== undefined) {
    const values = varianceValues(weightVariance);
    if (typeof weightVariance !== "object" || !("logGain" in weightVariance)) {
      add("weightVariance", weightVariance, values);
    } else {
      written.set("weightVariance", {
        path: ["axes", "weightVariance", "logGain"],
        values,
        isList: Array.isArray(weightVariance.logGain),
        // Neighbouring gains may give the same variance: e^0.3 = e^0.30000000000000004.
        identity: (value) => exp(Number(value)),
      });
    }
  }
  if (hidden !== undefined) add("hidden", hidden, listedValues(hidden));
  if (width !== undefined) add("width", width, axisValues(width, { isInteger: true }));
  if (depth !== undefined) add("depth", depth, axisValues(depth, { isInteger: true }));
  return written;
}

/** Groups with the full names of their axes; a word that names no axis stays as it is. */
function zipGroups(zip: NonNullable<SoundParts["zip"]>, written: WrittenAxes): Group[] {
  const named = (word: string) => axisNamed(word, [...written.keys()]) ?? word;
  if (zip.some((entry) => typeof entry === "string")) {
    return [{ path: ["zip"], axes: (zip as string[]).map(named) }];
  }
  return (zip as string[][]).map((words, i) => ({ path: ["zip", i], axes: words.map(named) }));
}

function isLatticeAxis(axis: AxisName): boolean {
  return (LATTICE_AXES as readonly string[]).includes(axis);
}

function unusableMembers(groups: readonly Group[], written: WrittenAxes): Complaint[] {
  const complaints: Complaint[] = [];
  const used = new Set<AxisName>();
  for (const { path, axes } of groups) {
    for (const [i, axis] of axes.entries()) {
      const isOfOtherShape = written.has("hidden")
        ? axis === "width" || axis === "depth"
        : axis === "hidden" && (written.has("width") || written.has("depth"));
      const isUnknown = !written.has(axis) && !isLatticeAxis(axis);
      const place = { path: [...path, i], found: `\`${axis}\`` };
      if (isOfOtherShape || isUnknown) {
        const known = [...written.keys()].map((name) => `\`${name}\``).join(", ");
        const hint = isUnknown ? (spellingHint(axis, known) ?? "") : "";
        complaints.push({ ...place, expected: "an axis that is in `axes`", hint });
      }
      if (used.has(axis)) complaints.push({ ...place, expected: "every axis at most once" });
      used.add(axis);
    }
  }
  return complaints;
}

function unequalLengths({ path, axes }: Group, written: WrittenAxes): Complaint[] {
  const lengths = axes.flatMap((axis) => written.get(axis)?.values.length ?? []);
  if (new Set(lengths).size < 2) return [];
  const found = axes.flatMap((axis) => {
    const length = written.get(axis)?.values.length;
    return length === undefined ? [] : `${count(length)} of \`${axis}\``;
  });
  return [{ path, expected: "axes with equally many values", found: found.join(", ") }];
}

function tooManyCombinations(dimensions: readonly Dimension[]): Complaint[] {
  const product = dimensions.reduce((n, { length }) => n * BigInt(length), 1n);
  if (product <= MAX_COMBINATIONS) return [];
  const factors = dimensions.map(
    ({ axes, length }) => `${count(length)} of \`${axes.join(" = ")}\``,
  );
  return [
    {
      path: ["axes"],
      concernsKey: true,
      expected: `at most ${count(MAX_COMBINATIONS)} combinations of axis values`,
      found: `${count(product)}: ${factors.join(" × ")}`,
    },
  ];
}

/** Every network's list of layers is kept in memory while a sweep is planned. */
function tooManyLayers(written: WrittenAxes, groups: readonly Group[]): Complaint[] {
  const depths = written.get("depth")?.values.list() ?? [];
  const isZipped = groups.some(({ axes }) => axes.includes("width") && axes.includes("depth"));
  const widths = isZipped ? 1 : (written.get("width")?.values.length ?? 1);
  const layers = widths * depths.reduce<number>((sum, depth) => sum + Number(depth), 0);
  if (layers <= MAX_LAYERS) return [];
  return [
    {
      path: ["axes"],
      concernsKey: true,
      expected: `at most ${count(MAX_LAYERS)} hidden layers in all networks that differ in width or depth`,
      found: count(layers),
    },
  ];
}

/** The first value of an axis, or of zipped axes together, that occurs for the second time. */
function repetition(
  { axes }: Dimension,
  { written, groups }: { written: WrittenAxes; groups: readonly Group[] },
): Complaint[] {
  const members = axes.flatMap((axis) => written.get(axis) ?? []);
  if (members.length < axes.length || members.some(({ values }) => !values.mayRepeat)) return [];
  const columns = members.map(({ values }) => values.list());
  const identities = members.map(({ identity = (value: unknown) => value }, m) =>
    columns[m]!.map((value) => JSON.stringify(identity(value))),
  );
  const row = (i: number) => columns.map((column) => JSON.stringify(column[i])).join(", ");
  const key = (i: number) => identities.map((column) => column[i]).join(", ");
  const seen = new Set<string>();
  const i = columns[0]!.findIndex((_, at) => seen.has(key(at)) || !seen.add(key(at)));
  if (i < 0) return [];
  const { path, isList } = members[0]!;
  const group = groups.find((one) => one.axes === axes);
  const place = group?.path ?? (isList ? [...path, i] : path);
  const isOfIntegers = columns[0]!.every(Number.isInteger);
  const rounded = isOfIntegers ? "ask for fewer: they are rounded to integers" : "ask for fewer";
  const hint = group || isList ? "" : rounded;
  return [{ path: place, expected: "no value twice", found: `\`${row(i)}\` again`, hint }];
}

/** Digits in groups of three. */
function count(n: number | bigint): string {
  return n.toLocaleString("en-US");
}
