import type { DataSet } from "./data-set.ts";
import { drawSplits, type SamplingOptions, samplingOptions } from "./sampling.ts";
import { halfWidth, type SquareOptions, squareRegion, standardisedOption } from "./square.ts";

export type CircleOptions = SamplingOptions & SquareOptions & { readonly radius: number };

const { samples, trainFraction, seed } = samplingOptions;

/**
 * Points uniform in a square: target −1 inside a circle about the centre, +1 outside (Storm et al., PRL
 * 132, 057301). The default radius makes the classes equally likely.
 */
export const circle: DataSet<CircleOptions> = {
  name: "circle",
  doc: "Points in a square, to be told apart by a circle: target −1 inside, +1 outside.",
  options: {
    samples,
    trainFraction,
    radius: {
      kind: "number",
      default: Math.sqrt(2 / Math.PI),
      exclusiveMinimum: 0,
      maximum: Math.SQRT2,
      doc: "Radius of the circle as a fraction of the square's half-width.",
    },
    standardised: standardisedOption,
    seed,
  },
  inputs: () => 2,
  targets: () => ({ kind: "sign" }),
  region: squareRegion,
  make(options) {
    const a = halfWidth(options);
    const r2 = options.radius * options.radius;
    return drawSplits(options, {
      inputs: 2,
      draw(inputs, stream) {
        const x = 2 * stream.uniform() - 1;
        const y = 2 * stream.uniform() - 1;
        inputs[0] = a * x;
        inputs[1] = a * y;
        return x * x + y * y < r2 ? -1 : 1;
      },
    });
  },
};
