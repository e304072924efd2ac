/** What generated data sets have in common: how many samples they have, and of which random numbers they are made. */
import type { RandomKey } from "../numerics/philox.ts";
import { type RandomStream, randomStream } from "../numerics/random-stream.ts";
import type { OptionRule, Samples, Splits } from "./data-set.ts";

export type SamplingOptions = {
  readonly samples: number;
  readonly trainFraction: number;
  readonly seed: number;
};

export const samplingOptions = {
  samples: {
    kind: "integer",
    default: 40_000,
    minimum: 2,
    maximum: 100_000_000,
    doc: "Points of both splits together.",
  },
  trainFraction: {
    kind: "number",
    default: 0.9,
    exclusiveMinimum: 0,
    exclusiveMaximum: 1,
    doc: "Share of the points that is trained on; the rest tests.",
  },
  seed: {
    kind: "integer",
    default: 0,
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    doc: "Which points are drawn; independent of the networks' seeds.",
  },
} as const satisfies Record<string, OptionRule>;

/** A standard deviation of a set whose shapes have sizes about 1. */
export function noiseOption(standard: number): OptionRule {
  return {
    kind: "number",
    default: standard,
    minimum: 0,
    maximum: 100,
    doc: "Standard deviation of the normal noise on each coordinate.",
  };
}

/** Numbers of samples; each split has at least one. */
export function splitSizes(samples: number, trainFraction: number): [train: number, test: number] {
  const train = Math.min(Math.max(Math.round(samples * trainFraction), 1), samples - 1);
  return [train, samples - train];
}

/** Draws one sample: writes its inputs, and returns its target. */
export type DrawSample = (inputs: Float32Array, stream: RandomStream) => number;

/** Both splits of a set with one target a sample, the training split first, from one stream of random numbers. */
export function drawSplits(
  { samples, trainFraction, seed }: SamplingOptions,
  { inputs, draw }: { readonly inputs: number; readonly draw: DrawSample },
): Splits {
  const stream = randomStream(seedKey(seed), "data", 0);
  const [train, test] = splitSizes(samples, trainFraction).map((count): Samples => {
    const set = {
      samples: count,
      inputs: new Float32Array(inputs * count),
      targets: new Float32Array(count),
    };
    for (let i = 0; i < count; i++) {
      set.targets[i] = draw(set.inputs.subarray(inputs * i, inputs * (i + 1)), stream);
    }
    return set;
  });
  return { train: train!, test: test! };
}

export function seedKey(seed: number): RandomKey {
  return [seed % 2 ** 32, Math.floor(seed / 2 ** 32)];
}
