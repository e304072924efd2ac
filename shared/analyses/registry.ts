import { canonicalJson } from "../canonical-json.ts";
import type { OptionRule, OptionValues } from "../datasets/data-set.ts";
import { InvalidTaskError } from "../errors.ts";
import { digestOf } from "../identity.ts";
import type { Analysis } from "./analysis.ts";
import { ensemble } from "./ensemble.ts";
import { exponents } from "./exponents.ts";
import { layers } from "./layers.ts";
import { margin } from "./margin.ts";
import { predictions } from "./predictions.ts";
import { ridges } from "./ridges.ts";
import { weights } from "./weights.ts";

/** Every analysis, by its name in specs. */
export const analyses: Readonly<Record<string, Analysis>> = {
  exponents,
  predictions,
  ensemble,
  margin,
  ridges,
  weights,
  layers,
};

/** An analysis by name, with every option given. */
export interface AnalysisRef {
  readonly name: string;
  readonly version: number;
  readonly options: OptionValues;
}

/** @throws InvalidTaskError if there is none of that name. */
export function analysisNamed(name: string): Analysis {
  const found = Object.hasOwn(analyses, name) ? analyses[name] : undefined;
  if (found !== undefined) return found;
  const known = Object.keys(analyses).join(", ");
  throw new InvalidTaskError(`expected an analysis among ${known}, got ${name}`);
}

/** @throws InvalidTaskError if this program has another version of it. */
export function analysisOf({ name, version }: AnalysisRef): Analysis {
  const found = analysisNamed(name);
  if (found.version === version) return found;
  throw new InvalidTaskError(
    `expected version ${found.version} of analysis ${name}, which this program has; got ${version}`,
  );
}

export function defaultsOf({ options }: Analysis): OptionValues {
  const entries = Object.entries<OptionRule>(options);
  return Object.fromEntries(entries.map(([name, rule]) => [name, rule.default]));
}

/** 8 hex digits that name it among those of a cell and snapshot. @param field id of the field that it reads, or null. */
export function analysisId(ref: AnalysisRef, field: string | null): string {
  const { name, version, options } = ref;
  const read = field === null ? {} : { field };
  const text = canonicalJson({ name, version, options, ...read });
  return digestOf(Buffer.from(text)).slice(7, 15);
}
