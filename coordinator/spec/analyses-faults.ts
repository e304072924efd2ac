/** What is wrong with the analyses of a spec, given its data set and field. */
import { isDeepStrictEqual } from "node:util";
import type { Analysis } from "../../shared/analyses/analysis.ts";
import { analysisNamed } from "../../shared/analyses/registry.ts";
import type { FieldGrid } from "../../shared/cell.ts";
import type { Facts } from "../../shared/datasets/content.ts";
import { shapeOf } from "../../shared/datasets/registry.ts";
import type { SoundParts } from "./form-faults.ts";
import { resolveAnalysis } from "./resolve-analyses.ts";
import { gridOf } from "./resolve-field.ts";
import { resolveData } from "./resolve-sections.ts";
import type { Complaint } from "./spec-text.ts";

/** Checks the parts of a spec whose form has no faults. */
export function analysesComplaints(parts: SoundParts, facts: Facts | null): Complaint[] {
  const { analyses = [], data, field } = parts;
  if (!data) return [];
  const resolved = analyses.map(resolveAnalysis);
  const shape = shapeOf(resolveData(data), facts);
  const grid = gridOf(field, shape);
  return resolved.flatMap((analysis, i) => {
    const definition = analysisNamed(analysis.name);
    const isTwice = resolved.slice(0, i).some((other) => isDeepStrictEqual(other, analysis));
    const expected =
      (isTwice ? "each analysis once" : null) ??
      (shape === null ? null : needs(definition, { field: grid, data: data.name })) ??
      (shape && definition.expects?.({ ...shape, field: grid }, analysis.options)) ??
      null;
    return expected === null ? [] : [{ path: ["analyses", i], expected }];
  });
}

function needs(
  { reads, name }: Analysis,
  { field, data }: { readonly field: FieldGrid | null; readonly data: string },
): string | null {
  if (reads === "field" && field === null) return `a \`field\`, which \`${name}\` reads`;
  const isOfSamples = reads === "samples" || reads === "seeds";
  return isOfSamples && data === "none" ? `a data set, whose samples \`${name}\` reads` : null;
}
