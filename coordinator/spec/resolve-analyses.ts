/** The analyses that a spec asks for, and those that they build on. */
import { isDeepStrictEqual } from "node:util";
import { analysisNamed, defaultsOf } from "../../shared/analyses/registry.ts";
import type { OptionValues } from "../../shared/datasets/data-set.ts";
import type { AnalysisForm } from "./analyses-schema.ts";
import type { SweepAnalysis } from "./sweep.ts";

/** Each with every option given, behind those whose results it reads. */
export function resolveAnalyses(forms: readonly AnalysisForm[]): SweepAnalysis[] {
  const found: SweepAnalysis[] = [];
  const add = (analysis: SweepAnalysis) => {
    if (found.some((other) => isDeepStrictEqual(other, analysis))) return;
    const definition = analysisNamed(analysis.name);
    if (definition.reads === "seeds") {
      const { name, options } = definition.of(analysis.options);
      add({ name, options: { ...defaultsOf(analysisNamed(name)), ...options } });
    }
    found.push(analysis);
  };
  for (const form of forms) add(resolveAnalysis(form));
  return found;
}

export function resolveAnalysis(form: AnalysisForm): SweepAnalysis {
  if (typeof form === "string") return { name: form, options: defaultsOf(analysisNamed(form)) };
  const [[name, options]] = Object.entries(form) as [[string, OptionValues]];
  return { name, options };
}
