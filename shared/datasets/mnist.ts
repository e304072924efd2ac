import type { Content } from "./content.ts";
import type { FileDataSet } from "./data-set.ts";
import { inOrdinaryMemory, pick, type Scale } from "./pick.ts";

export type MnistOptions = {
  readonly classes: readonly number[];
  readonly standardised: boolean;
  readonly trainSamples: number;
  readonly testSamples: number;
};

const ALL = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** Handwritten digits (LeCun et al., http://yann.lecun.com/exdb/mnist): 28 × 28 pixels, read row by row. */
export const mnist = images("mnist", "Handwritten digits of 28 × 28 pixels, in ten classes.");

/** Clothes (Xiao et al., arXiv 1708.07747), in the format of MNIST. */
export const fashionMnist = images(
  "fashion-mnist",
  "Pictures of clothes, 28 × 28 pixels, in ten classes.",
);

function images(name: string, doc: string): FileDataSet<MnistOptions> {
  return {
    name,
    doc,
    source: {
      path: {
        kind: "path",
        isRequired: false,
        doc: `The folder of the four IDX files, compressed or not, relative to the spec's. Default: \`${name}\` in the folder of data sets, where \`ftle data get\` puts it.`,
      },
    },
    options: {
      classes: {
        kind: "integers",
        default: ALL,
        minimum: 0,
        maximum: 9,
        least: 2,
        shapes: true,
        doc: "The classes that are told apart; the first becomes class 0.",
      },
      standardised: {
        kind: "boolean",
        default: false,
        doc: "Pixels have mean 0 and variance 1 over all training samples; otherwise they are in [0, 1].",
      },
      trainSamples: {
        kind: "integer",
        default: 60_000,
        minimum: 1,
        maximum: 60_000,
        doc: "At most so many samples are trained on: the first of these classes.",
      },
      testSamples: {
        kind: "integer",
        default: 10_000,
        minimum: 1,
        maximum: 10_000,
        doc: "At most so many samples test: the first of these classes.",
      },
    },
    inputs: (_, { inputs }) => inputs,
    targets: ({ classes }) => ({ kind: "classes", count: classes.length }),
    region: () => ({ x: [0, 1], y: [0, 1] }),
    counts({ classes, trainSamples, testSamples }, { train, test }) {
      const of = (counts: readonly number[]) => classes.reduce((sum, k) => sum + counts[k]!, 0);
      return { train: Math.min(of(train), trainSamples), test: Math.min(of(test), testSamples) };
    },
    make(options, content, room = inOrdinaryMemory) {
      const labels = new Map(options.classes.map((label, number) => [label, number]));
      const numbers = Uint32Array.from({ length: content.samples }, (_, i) => i);
      const ofSplit = (test: number) =>
        numbers.filter((i) => content.isTest![i] === test && labels.has(content.targets[i]!));
      const train = ofSplit(0).subarray(0, options.trainSamples);
      const test = ofSplit(1).subarray(0, options.testSamples);
      const scale = options.standardised ? standardScale(content, train) : unitScale(content);
      const made = (samples: Uint32Array) => pick(content, { samples, scale, labels }, room);
      return { train: made(train), test: made(test) };
    },
  };
}

function unitScale({ width }: Content): Scale {
  return { shift: new Float64Array(width), factor: new Float64Array(width).fill(1 / 255) };
}

/** The same for all pixels. */
function standardScale({ width, inputs }: Content, samples: Uint32Array): Scale {
  let sum = 0;
  let squares = 0; // integers: both sums are exact
  for (const i of samples) {
    for (let j = i * width; j < (i + 1) * width; j++) {
      sum += inputs[j]!;
      squares += inputs[j]! ** 2;
    }
  }
  const pixels = samples.length * width;
  const mean = sum / pixels;
  const deviation = Math.sqrt(squares / pixels - mean * mean) || 1;
  return {
    shift: new Float64Array(width).fill(mean),
    factor: new Float64Array(width).fill(1 / deviation),
  };
}
