import type { RandomKey } from "../numerics/philox.ts";
import { type RandomStream, randomStream } from "../numerics/random-stream.ts";
import type { TrainingSet } from "../numerics/training.ts";
import type { DataSet } from "./data-set.ts";

export type CircleOptions = {
  readonly samples: number;
  readonly trainFraction: number;
  readonly radius: number;
  readonly standardised: boolean;
  readonly seed: number;
};

/**
 * Points uniform in a square: target −1 inside a circle about the centre, +1 outside (Storm et al., PRL
 * 132, 057301). The default radius makes the classes equally likely.
 */
export const circle: DataSet<CircleOptions> = {
  name: "circle",
  doc: "Points in a square, to be told apart by a circle: target −1 inside, +1 outside.",
  options: {
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
    radius: {
      kind: "number",
      default: Math.sqrt(2 / Math.PI),
      exclusiveMinimum: 0,
      maximum: Math.SQRT2,
      doc: "Radius of the circle as a fraction of the square's half-width.",
    },
    standardised: {
      kind: "boolean",
      default: true,
      doc: "Half-width √3, so that each coordinate has variance 1; otherwise 1.",
    },
    seed: {
      kind: "integer",
      default: 0,
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      doc: "Which points are drawn; independent of the networks' seeds.",
    },
  },
  inputs: 2,
  outputs: 1,
  region(options) {
    const a = halfWidth(options);
    return { x: [-a, a], y: [-a, a] };
  },
  make(options) {
    const stream = randomStream(seedKey(options.seed), "data", 0);
    const train = Math.round(options.samples * options.trainFraction);
    const trainSamples = Math.min(Math.max(train, 1), options.samples - 1);
    return {
      train: points(trainSamples, options, stream),
      test: points(options.samples - trainSamples, options, stream),
    };
  },
};

function points(samples: number, options: CircleOptions, stream: RandomStream): TrainingSet {
  const a = halfWidth(options);
  const inputs = new Float32Array(2 * samples);
  const targets = new Float32Array(samples);
  for (let i = 0; i < samples; i++) {
    const x = 2 * stream.uniform() - 1;
    const y = 2 * stream.uniform() - 1;
    inputs[2 * i] = a * x;
    inputs[2 * i + 1] = a * y;
    targets[i] = x * x + y * y < options.radius * options.radius ? -1 : 1;
  }
  return { samples, inputs, targets };
}

/** The standard deviation of a uniform coordinate in [−a, a] is a/√3. */
function halfWidth({ standardised }: CircleOptions): number {
  return standardised ? Math.sqrt(3) : 1;
}

function seedKey(seed: number): RandomKey {
  return [seed % 2 ** 32, Math.floor(seed / 2 ** 32)];
}
