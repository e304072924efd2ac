/** The analyses of a sweep, with what names each and which cells it reads. */
import { isDeepStrictEqual } from "node:util";
import { analysisId, analysisNamed, defaultsOf } from "../../shared/analyses/registry.ts";
import { canonicalJson } from "../../shared/canonical-json.ts";
import { digestOf } from "../../shared/identity.ts";
import type { Sweep, SweepAnalysis } from "../spec/sweep.ts";
import type { AnalysisPlan, Cell, FieldPlan } from "./plan.ts";

interface Analysed {
  readonly field: FieldPlan | null;
  readonly cells: readonly Cell[];
}

export function analysisPlans({ analyses = [] }: Sweep, analysed: Analysed): AnalysisPlan[] {
  const plans: AnalysisPlan[] = [];
  for (const analysis of analyses) {
    const base = plans.find(({ ref }) => isBaseOf(ref, analysis)) ?? null;
    plans.push(planOf(analysis, { ...analysed, base }));
  }
  return plans;
}

function planOf(
  { name, options }: SweepAnalysis,
  { field, cells, base }: Analysed & { base: AnalysisPlan | null },
): AnalysisPlan {
  const definition = analysisNamed(name);
  const ref = { name, version: definition.version, options };
  const id = analysisId(ref, definition.reads === "field" ? field!.id : null);
  const shared = { id, label: labelOf({ name, options }), ref, definition };
  if (definition.reads !== "seeds") {
    return { ...shared, base: null, idOf: () => id, members: () => [] };
  }
  const groups = seedGroups(cells);
  const ids = new Map<readonly Cell[], string>();
  const idOf = (group: readonly Cell[]) => {
    const found = ids.get(group) ?? groupId(id, base!, group);
    ids.set(group, found);
    return found;
  };
  return {
    ...shared,
    base,
    members: (cell) => groups.get(cell)!,
    idOf: (cell) => idOf(groups.get(cell)!),
  };
}

/** Such as `exponents-at-train`: the name, and the options that are not as by default. Others in the sweep do not change it. */
function labelOf({ name, options }: SweepAnalysis): string {
  const standard = defaultsOf(analysisNamed(name));
  const others = Object.entries(options).filter(
    ([key, value]) => !isDeepStrictEqual(value, standard[key]),
  );
  return [name, ...others.map(([key, value]) => `${key}-${value}`)].join("-");
}

/** The same analysis of other networks is another one. */
function groupId(id: string, base: AnalysisPlan, group: readonly Cell[]): string {
  const text = canonicalJson({ id, base: base.id, cells: group.map((cell) => cell.id) });
  return digestOf(Buffer.from(text)).slice(7, 15);
}

/** For each cell, those that differ from it in their seed alone, and itself; in the order of the axes. */
function seedGroups(cells: readonly Cell[]): Map<string, readonly Cell[]> {
  const byPhysics = new Map<string, Cell[]>();
  for (const cell of [...cells].sort((a, b) => a.position - b.position)) {
    const { seed: _, ...rest } = cell.physics;
    const key = canonicalJson(rest);
    const group = byPhysics.get(key);
    if (group === undefined) byPhysics.set(key, [cell]);
    else group.push(cell);
  }
  const groups = [...byPhysics.values()];
  return new Map(groups.flatMap((group) => group.map(({ id }) => [id, group] as const)));
}

function isBaseOf(ref: SweepAnalysis, { name, options }: SweepAnalysis): boolean {
  const definition = analysisNamed(name);
  if (definition.reads !== "seeds") return false;
  const base = definition.of(options);
  const given = Object.entries(base.options);
  return (
    ref.name === base.name &&
    given.every(([key, value]) => isDeepStrictEqual(ref.options[key], value))
  );
}
