import type { DataSet } from "./data-set.ts";
import { drawSplits, type SamplingOptions, samplingOptions } from "./sampling.ts";
import { unitCircle } from "./turn.ts";

export type RingsOptions = SamplingOptions & { readonly classes: number; readonly gap: number };

/**
 * K rings about the origin: class k has radii from (k + g/2)/K to (k + 1 − g/2)/K, uniform in area, where g is the gap; the
 * innermost is a ring, too, unless g = 0.
 */
export const rings: DataSet<RingsOptions> = {
  name: "rings",
  doc: "Points in rings about the origin, a class each.",
  options: {
    ...samplingOptions,
    classes: {
      kind: "integer",
      shapes: true,
      default: 2,
      minimum: 2,
      maximum: 1000,
      doc: "Rings.",
    },
    gap: {
      kind: "number",
      default: 0.2,
      minimum: 0,
      exclusiveMaximum: 1,
      doc: "Share of each ring's width that is left free.",
    },
  },
  inputs: () => 2,
  targets: ({ classes }) => ({ kind: "classes", count: classes }),
  region: () => ({ x: [-1, 1], y: [-1, 1] }),
  make(options) {
    const { classes, gap } = options;
    return drawSplits(options, {
      inputs: 2,
      draw(inputs, stream) {
        const k = stream.below(classes);
        const [from, to] = [(k + gap / 2) / classes, (k + 1 - gap / 2) / classes];
        const r = Math.sqrt(from * from + (to * to - from * from) * stream.uniform());
        const [x, y] = unitCircle(stream.uniform());
        inputs[0] = r * x;
        inputs[1] = r * y;
        return k;
      },
    });
  },
};
