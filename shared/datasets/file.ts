import { permutation } from "../numerics/permutation.ts";
import { randomStream } from "../numerics/random-stream.ts";
import type { Content } from "./content.ts";
import type { FileDataSet, TargetKind } from "./data-set.ts";
import { inOrdinaryMemory, pick, type Scale } from "./pick.ts";
import { samplingOptions, seedKey, splitSizes } from "./sampling.ts";

export type FileOptions = {
  readonly targets: "classes" | "values";
  readonly testFraction: number;
  readonly standardised: boolean;
  readonly seed: number;
};

/** A table: some of its columns are inputs, one is the class, or one or several are values to be met. */
export const file: FileDataSet<FileOptions> = {
  name: "file",
  doc: "A table of your own: CSV, NPY, NPZ or Parquet.",
  source: {
    path: {
      kind: "path",
      isRequired: true,
      doc: "The file, relative to the spec's folder; its ending says what it is: csv, npy, npz or parquet.",
    },
    inputs: {
      kind: "columns",
      isRequired: false,
      doc: "Columns that the network sees. Default: all others. Of an NPZ, the name of an array; of an NPY, columns are numbers from 0.",
    },
    target: {
      kind: "columns",
      isRequired: true,
      doc: "The column to be learned; of values, also several.",
    },
    split: {
      kind: "column",
      isRequired: false,
      doc: "A column that says which samples test: 1 or `test`; the others are 0 or `train`. Default: `testFraction` decides.",
    },
  },
  options: {
    targets: {
      kind: "choice",
      choices: ["classes", "values"],
      default: "classes",
      isFixed: true,
      doc: "`classes`: the target is a label, of text or numbers; `values`: numbers to be met (regression).",
    },
    testFraction: {
      kind: "number",
      default: 0.2,
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      doc: "Share of the samples that tests, drawn by `seed`; without effect with `split`.",
    },
    standardised: {
      kind: "boolean",
      default: true,
      doc: "Each input has mean 0 and variance 1 in the training samples; otherwise as in the file.",
    },
    seed: samplingOptions.seed,
  },
  inputs: (_, { inputs }) => inputs,
  targets: (_, { classes, values }): TargetKind => {
    return classes === null
      ? { kind: "values", count: values }
      : { kind: "classes", count: classes.length };
  },
  region({ standardised }, { region }) {
    // Standardised coordinates lie mostly within three standard deviations.
    if (standardised || region === null) return { x: [-3, 3], y: [-3, 3] };
    return { x: widened(region.x), y: widened(region.y) };
  },
  counts({ testFraction }, { train, test, isSplit }) {
    if (isSplit) return { train: sum(train), test: sum(test) };
    const [ofTrain, ofTest] = splitSizes(sum(train), 1 - testFraction);
    return { train: ofTrain, test: ofTest };
  },
  make(options, content, room = inOrdinaryMemory) {
    const split = splitOf(options, content);
    const scale = options.standardised ? standardScale(content, split.train) : null;
    const made = (samples: Uint32Array) => pick(content, { samples, scale }, room);
    return { train: made(split.train), test: made(split.test) };
  },
};

/** The numbers of the samples of each split, in the order of the file or of the draw. */
function splitOf(
  { testFraction, seed }: FileOptions,
  { samples, isTest }: Content,
): { train: Uint32Array; test: Uint32Array } {
  if (isTest !== null) {
    const all = Uint32Array.from({ length: samples }, (_, i) => i);
    return { train: all.filter((i) => isTest[i] === 0), test: all.filter((i) => isTest[i] === 1) };
  }
  const order = permutation(samples, randomStream(seedKey(seed), "data", 0));
  const [train] = splitSizes(samples, 1 - testFraction);
  return { train: order.subarray(0, train), test: order.subarray(train) };
}

/** Of each input: less its mean, over its standard deviation, among these samples; over 1 if it is constant. */
function standardScale({ width, inputs }: Content, samples: Uint32Array): Scale {
  const shift = new Float64Array(width);
  const factor = new Float64Array(width);
  for (let j = 0; j < width; j++) {
    let mean = 0;
    for (const i of samples) mean += inputs[i * width + j]! / samples.length;
    let variance = 0;
    for (const i of samples) variance += (inputs[i * width + j]! - mean) ** 2 / samples.length;
    shift[j] = mean;
    factor[j] = variance > 0 ? 1 / Math.sqrt(variance) : 1;
  }
  return { shift, factor };
}

function widened([from, to]: readonly [number, number]): [number, number] {
  const margin = (to - from) / 20 || 1;
  return [from - margin, to + margin];
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
