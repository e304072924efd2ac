import type { DataSet } from "./data-set.ts";
import { drawSplits, type SamplingOptions, samplingOptions } from "./sampling.ts";
import { halfWidth, type SquareOptions, squareRegion, standardisedOption } from "./square.ts";

export type CheckerboardOptions = SamplingOptions & SquareOptions & { readonly squares: number };

/** Points uniform in a square of `squares` × `squares` fields: class (row + column) mod 2, counted from the lower left. */
export const checkerboard: DataSet<CheckerboardOptions> = {
  name: "checkerboard",
  doc: "Points in a square, to be told apart by the fields of a checkerboard.",
  options: {
    ...samplingOptions,
    squares: {
      kind: "integer",
      default: 4,
      minimum: 2,
      maximum: 1000,
      doc: "Fields along a side.",
    },
    standardised: standardisedOption,
  },
  inputs: () => 2,
  targets: () => ({ kind: "classes", count: 2 }),
  region: squareRegion,
  make(options) {
    const { squares } = options;
    const a = halfWidth(options);
    return drawSplits(options, {
      inputs: 2,
      draw(inputs, stream) {
        const [x, y] = [stream.uniform(), stream.uniform()];
        inputs[0] = a * (2 * x - 1);
        inputs[1] = a * (2 * y - 1);
        return (Math.floor(squares * x) + Math.floor(squares * y)) % 2;
      },
    });
  },
};
