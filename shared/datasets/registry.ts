import { canonicalJson } from "../canonical-json.ts";
import type { Region } from "../cell.ts";
import { InvalidTaskError } from "../errors.ts";
import { checkerboard } from "./checkerboard.ts";
import { circle } from "./circle.ts";
import type { Facts } from "./content.ts";
import { decodeContent, factsOf, labelsOf } from "./content.ts";
import type { AnyDataSet, OptionValues, Room, Splits, TargetKind } from "./data-set.ts";
import { splitsDigest } from "./digest.ts";
import { file } from "./file.ts";
import { gaussians } from "./gaussians.ts";
import { fashionMnist, mnist } from "./mnist.ts";
import { moons } from "./moons.ts";
import { none } from "./none.ts";
import { rings } from "./rings.ts";
import { spirals } from "./spirals.ts";

/** Every data set, by its name in specs. */
export const dataSets: Readonly<Record<string, AnyDataSet>> = {
  circle,
  moons,
  spirals,
  rings,
  checkerboard,
  gaussians,
  file,
  mnist,
  "fashion-mnist": fashionMnist,
  none,
};

/** What a plan and a spec need to know of a data set, but for its samples. */
export interface DataSetShape {
  readonly inputs: number;
  readonly targets: TargetKind;
  /** In the plane of the first two inputs. */
  readonly region: Region;
}

/** @returns null if that follows from files, and nothing is known of them. */
export function shapeOf(
  { name, options }: { readonly name: string; readonly options: OptionValues },
  facts: Facts | null,
): DataSetShape | null {
  const definition = dataSet(name);
  if (definition.source === undefined) {
    const inputs = definition.inputs(options);
    return { inputs, targets: definition.targets(options), region: definition.region(options) };
  }
  if (facts === null) return null;
  return {
    inputs: definition.inputs(options, facts),
    targets: definition.targets(options, facts),
    region: definition.region(options, facts),
  };
}

/** @throws InvalidTaskError if there is none of that name. */
export function dataSet(name: string): AnyDataSet {
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
 * The samples of a generated set with their digest. They are kept for a while: the tasks of a sweep share them.
 *
 * @throws InvalidTaskError if there is no generated data set of that name.
 */
export function makeDataSet(name: string, options: OptionValues): MadeDataSet {
  const key = canonicalJson({ name, options });
  let made = kept.get(key);
  if (made === undefined) {
    const definition = dataSet(name);
    if (definition.source !== undefined) {
      throw new InvalidTaskError(
        `expected the content of data set ${name} with the task, got none`,
      );
    }
    const splits = definition.make(options);
    made = { ...splits, digest: splitsDigest(splits) };
  }
  kept.delete(key); // it is the newest again
  kept.set(key, made);
  forgetOldest();
  return made;
}

/** A data set from files, ready to train on. */
export interface FileSamples extends Splits {
  readonly targets: TargetKind;
}

/**
 * The samples of a set from files.
 *
 * @param content as `encodeContent` made it.
 * @param room for the samples; by default ordinary memory.
 * @throws InvalidTaskError if there is no such set.
 */
export function makeFromContent(
  { name, options }: { readonly name: string; readonly options: OptionValues },
  content: Uint8Array,
  room?: Room,
): FileSamples {
  const definition = dataSet(name);
  if (definition.source === undefined) {
    throw new InvalidTaskError(`expected a data set from files, got ${name}`);
  }
  const decoded = decodeContent(content);
  const facts = factsOf(decoded, options.targets === "values" ? null : labelsOf(decoded));
  const targets = definition.targets(options, facts);
  return { ...definition.make(options, decoded, room), targets };
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
