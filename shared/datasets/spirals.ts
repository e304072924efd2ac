import type { DataSet } from "./data-set.ts";
import { drawSplits, noiseOption, type SamplingOptions, samplingOptions } from "./sampling.ts";
import { unitCircle } from "./turn.ts";

export type SpiralsOptions = SamplingOptions & {
  readonly arms: number;
  readonly turns: number;
  readonly noise: number;
};

/**
 * K spirals of Archimedes about the origin: class k at radius ρ and angle 2π(k/K + Tρ), with ρ² uniform in [0, 1] so that the
 * points are equally dense everywhere.
 */
export const spirals: DataSet<SpiralsOptions> = {
  name: "spirals",
  doc: "Spirals about the origin, one in the other, a class each.",
  options: {
    ...samplingOptions,
    arms: { kind: "integer", shapes: true, default: 2, minimum: 2, maximum: 100, doc: "Spirals." },
    turns: {
      kind: "number",
      default: 1.5,
      exclusiveMinimum: 0,
      maximum: 100,
      doc: "Turns of each spiral.",
    },
    noise: noiseOption(0.02),
  },
  inputs: () => 2,
  targets: ({ arms }) => ({ kind: "classes", count: arms }),
  region({ noise }) {
    const a = 1 + 3 * noise;
    return { x: [-a, a], y: [-a, a] };
  },
  make(options) {
    const { arms, turns, noise } = options;
    return drawSplits(options, {
      inputs: 2,
      draw(inputs, stream) {
        const k = stream.below(arms);
        const r = Math.sqrt(stream.uniform());
        const [x, y] = unitCircle(k / arms + turns * r);
        inputs[0] = r * x + noise * stream.normal();
        inputs[1] = r * y + noise * stream.normal();
        return k;
      },
    });
  },
};
