import { canonicalJson } from "../canonical-json.ts";
import { InvalidTaskError } from "../errors.ts";
import { circle } from "./circle.ts";
import type { DataSet, OptionValues, Splits } from "./data-set.ts";
import { splitsDigest } from "./digest.ts";

/** Every data set, by its name in specs. */
export const dataSets: Readonly<Record<string, DataSet>> = { circle };

/** @throws InvalidTaskError if there is none of that name. */
export function dataSet(name: string): DataSet {
  const found = Object.hasOwn(dataSets, name) ? dataSets[name] : undefined;
  if (found === undefined) {
    const known = Object.keys(dataSets).join(", ");
    throw new InvalidTaskError(`expected a data set among ${known}, got ${name}`);
  }
  return found;
}

export interface MadeDataSet extends Splits {
  readonly digest: string;
}

/**
 * The samples with their digest. The last data set is kept: the tasks of a sweep share one.
 *
 * @throws InvalidTaskError if there is no data set of that name.
 */
export function makeDataSet(name: string, options: OptionValues): MadeDataSet {
  const key = canonicalJson({ name, options });
  if (kept?.key !== key) {
    const splits = dataSet(name).make(options);
    kept = { key, made: { ...splits, digest: splitsDigest(splits) } };
  }
  return kept.made;
}

let kept: { key: string; made: MadeDataSet } | undefined;
