/** Adds an analysis to the spec of a sweep. */
import { isDeepStrictEqual } from "node:util";
import { isSeq, parseDocument } from "yaml";
import { analysesSchema } from "./analyses-schema.ts";
import { parseSweep } from "./parse-sweep.ts";
import { resolveAnalysis } from "./resolve-analyses.ts";
import { SpecError } from "./spec-error.ts";
import type { Sweep } from "./sweep.ts";

export interface SweepText {
  readonly sweep: Sweep;
  /** The spec as written. */
  readonly source: string;
}

/**
 * The sweep with the analysis, and its spec: the text as it was, comments included, with one more entry in `analyses`. The same
 * sweep, if it has the analysis already.
 *
 * @throws SpecError if there is no such analysis, an option of it is faulty, or it cannot be had of this sweep.
 */
export function withAnalysis(
  { sweep, source }: SweepText,
  { name, options }: { readonly name: string; readonly options: Readonly<Record<string, unknown>> },
): SweepText {
  if (hasAlready(sweep, name, options)) return { sweep, source };
  const document = parseDocument(source);
  const entry = Object.keys(options).length === 0 ? name : { [name]: options };
  const list = document.get("analyses");
  if (isSeq(list)) list.add(document.createNode(entry, { flow: true }));
  else document.set("analyses", document.createNode([entry], { flow: true }));
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: false });
  const { content, networks } = sweep;
  const file = `analysis ${name}`;
  const parsed = parseSweep(text, { file: sweep.name, content, networks });
  if ("faults" in parsed) throw new SpecError(file, parsed.faults);
  // The name may be the file's, and the engine have been given on the command line.
  return {
    sweep: { ...parsed.sweep, name: sweep.name, engine: sweep.engine },
    source: text,
  };
}

function hasAlready(
  { analyses = [] }: Sweep,
  name: string,
  options: Readonly<Record<string, unknown>>,
): boolean {
  const form = analysesSchema.safeParse([{ [name]: options }]);
  if (!form.success) return false; // which the spec will show
  const wanted = resolveAnalysis(form.data[0]!);
  return analyses.some((other) => isDeepStrictEqual(other, wanted));
}
