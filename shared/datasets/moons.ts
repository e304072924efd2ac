import type { DataSet } from "./data-set.ts";
import { drawSplits, noiseOption, type SamplingOptions, samplingOptions } from "./sampling.ts";
import { unitCircle } from "./turn.ts";

export type MoonsOptions = SamplingOptions & {
  readonly noise: number;
  readonly standardised: boolean;
};

/**
 * Two half circles that reach into each other, as scikit-learn's `make_moons`, with their common centre at the origin:
 * class 0 at (cos φ − ½, sin φ − ¼), class 1 at (½ − cos φ, ¼ − sin φ), φ uniform in [0, π].
 */
export const moons: DataSet<MoonsOptions> = {
  name: "moons",
  doc: "Two half circles that reach into each other, a class each.",
  options: {
    ...samplingOptions,
    noise: noiseOption(0.1),
    standardised: {
      kind: "boolean",
      default: true,
      doc: "Each coordinate is divided by its standard deviation, that of the noise included.",
    },
  },
  inputs: () => 2,
  targets: () => ({ kind: "classes", count: 2 }),
  region(options) {
    const [x, y] = scales(options);
    const beyond = 3 * options.noise;
    return { x: symmetric((1.5 + beyond) * x), y: symmetric((0.75 + beyond) * y) };
  },
  make(options) {
    const [scaleX, scaleY] = scales(options);
    return drawSplits(options, {
      inputs: 2,
      draw(inputs, stream) {
        const k = stream.below(2);
        const [x, y] = unitCircle(stream.uniform() / 2);
        const side = k === 0 ? 1 : -1;
        inputs[0] = scaleX * (side * (x - 0.5) + options.noise * stream.normal());
        inputs[1] = scaleY * (side * (y - 0.25) + options.noise * stream.normal());
        return k;
      },
    });
  },
};

/** One over the standard deviations: the variances are ¾ + s² and 9/16 − 1/π + s². */
function scales({ standardised, noise }: MoonsOptions): [x: number, y: number] {
  if (!standardised) return [1, 1];
  const variances = [3 / 4, 9 / 16 - 1 / Math.PI].map((variance) => variance + noise * noise);
  return [1 / Math.sqrt(variances[0]!), 1 / Math.sqrt(variances[1]!)];
}

function symmetric(a: number): [from: number, to: number] {
  return [-a, a];
}
