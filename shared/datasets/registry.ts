import { canonicalJson } from "../canonical-json.ts";
import { InvalidTaskError } from "../errors.ts";
import { checkerboard } from "./checkerboard.ts";
import { circle } from "./circle.ts";
import type { DataSet, OptionValues, Splits } from "./data-set.ts";
import { splitsDigest } from "./digest.ts";
import { gaussians } from "./gaussians.ts";
import { moons } from "./moons.ts";
import { rings } from "./rings.ts";
import { spirals } from "./spirals.ts";

/** Every data set, by its name in specs. */
export const dataSets: Readonly<Record<string, DataSet>> = {
  circle,
  moons,
  spirals,
  rings,
  checkerboard,
  gaussians,
};

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

/** Those used last are kept while they have no more bytes together; one is always. */
const KEPT_BYTES = 2 ** 28;

/**
 * The samples with their digest. Data sets are kept for a while: the tasks of a sweep share one, or a few.
 *
 * @throws InvalidTaskError if there is no data set of that name.
 */
export function makeDataSet(name: string, options: OptionValues): MadeDataSet {
  const key = canonicalJson({ name, options });
  let made = kept.get(key);
  if (made === undefined) {
    const splits = dataSet(name).make(options);
    made = { ...splits, digest: splitsDigest(splits) };
  }
  kept.delete(key); // it is the newest again
  kept.set(key, made);
  forgetOldest();
  return made;
}

/** Least recently used first. */
const kept = new Map<string, MadeDataSet>();

function forgetOldest(): void {
  let bytes = [...kept.values()].reduce((sum, made) => sum + bytesOf(made), 0);
  for (const [key, made] of kept) {
    if (bytes <= KEPT_BYTES || kept.size === 1) return;
    kept.delete(key);
    bytes -= bytesOf(made);
  }
}

function bytesOf({ train, test }: Splits): number {
  const arrays = [train.inputs, train.targets, test.inputs, test.targets];
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
