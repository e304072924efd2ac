import type { OptionValues } from "../datasets/data-set.ts";
import type { NetworkShape } from "../numerics/network.ts";
import { float64Weights } from "../numerics/network.ts";
import { distribution, rankCorrelation } from "../numerics/ranks.ts";
import { outputMargins, sampleLosses } from "../numerics/sample-losses.ts";
import { lyapunovSpectrum } from "../numerics/spectrum.ts";
import type { TrainingSet } from "../numerics/training.ts";
import type { SamplesAnalysis, SamplesSubject } from "./analysis.ts";
import {
  exponentsWorkOf,
  inBlocks,
  SCALAR_WORK,
  samplesIn,
  splitOf,
  splitOption,
} from "./split.ts";

/** Exponents at the samples of a split, for any number of inputs (Storm et al., PRL 132, 057301, Fig. 4). */
export const exponents: SamplesAnalysis = {
  name: "exponents",
  version: 1,
  doc: "The largest exponents at the samples of a split, and how λ₁ goes with loss and margin.",
  options: {
    at: splitOption,
    count: {
      kind: "integer",
      default: 2,
      minimum: 1,
      maximum: 100_000,
      doc: "How many exponents, from the largest on; a network has min(N₀, N_L). More than two are computed in float64, whatever the engine.",
    },
  },
  reads: "samples",
  columns: [
    { name: "mean", unit: "1/layer", doc: "Mean λ₁ over the samples." },
    { name: "std", unit: "1/layer", doc: "Population standard deviation of λ₁." },
    { name: "q05", unit: "1/layer", doc: "5 % quantile of λ₁." },
    { name: "median", unit: "1/layer", doc: "Median λ₁." },
    { name: "q95", unit: "1/layer", doc: "95 % quantile of λ₁." },
    { name: "notFinite", doc: "Samples whose λ₁ is not finite." },
    { name: "lossCorrelation", doc: "Spearman's rank correlation of λ₁ and the sample's loss." },
    {
      name: "marginCorrelation",
      doc: "Spearman's rank correlation of λ₁ and the margin of the outputs: the right one less the largest other, or the distance from the threshold.",
    },
  ],
  arrays: [
    {
      name: "lambda",
      dimensions: ["sample", "exponent"],
      unit: "1/layer",
      doc: "λ_i = (1/L) ln σ_i(J_L), descending",
    },
  ],
  work(size, options) {
    const { network } = size;
    const ofEngine = exponentsWorkOf(network);
    const scalar = SCALAR_WORK * (ofEngine + singularValuesWork(network));
    return samplesIn(size, options) * (Number(options.count) <= 2 ? ofEngine : scalar);
  },
  compute(subject, options) {
    const set = splitOf(subject, options);
    const count = countOf(subject, options);
    const values = count <= 2 ? byEngine(subject, set, count) : bySpectrum(subject, set, count);
    const lambda1 = Float64Array.from({ length: set.samples }, (_, s) => values[s * count]!);
    const { network, engine, loss } = subject;
    const outputs = engine.outputs(set.inputs);
    const { count: finite, ...moments } = distribution(lambda1);
    const columns = {
      ...moments,
      notFinite: set.samples - finite,
      lossCorrelation: rankCorrelation(lambda1, sampleLosses(loss, outputs, set)),
      marginCorrelation:
        subject.targets.kind === "values"
          ? Number.NaN
          : rankCorrelation(lambda1, outputMargins(network, outputs, set)),
    };
    return { columns, arrays: { lambda: { shape: [set.samples, count], values } } };
  },
};

/** About eight sweeps of rotations over the pairs of rows, six operations an element. */
function singularValuesWork({ inputs, hidden }: NetworkShape): number {
  const [rows, columns] = [hidden.at(-1)!, Math.min(inputs, hidden[0]!)];
  const [short, long] = [Math.min(rows, columns), Math.max(rows, columns)];
  return 24 * short * short * long;
}

function countOf({ network }: SamplesSubject, { count }: OptionValues): number {
  return Math.min(Number(count), network.inputs, network.hidden.at(-1)!);
}

function byEngine(subject: SamplesSubject, set: TrainingSet, count: number): Float32Array {
  const values = new Float32Array(set.samples * count);
  const workOfSample = exponentsWorkOf(subject.network);
  inBlocks(subject, { set, workOfSample }, (inputs, from) => {
    const { lambda1, lambda2 } = subject.engine.exponents(inputs);
    for (let i = 0; i < lambda1.length; i++) {
      values[(from + i) * count] = lambda1[i]!;
      if (count > 1) values[(from + i) * count + 1] = lambda2[i]!;
    }
  });
  return values;
}

function bySpectrum(subject: SamplesSubject, set: TrainingSet, count: number): Float32Array {
  const { network, weights, progress } = subject;
  const spectrum = lyapunovSpectrum(network, float64Weights(network, weights));
  const values = new Float32Array(set.samples * count);
  for (let s = 0; s < set.samples; s++) {
    progress(s / set.samples);
    const input = set.inputs.subarray(s * network.inputs, (s + 1) * network.inputs);
    values.set(spectrum(Float64Array.from(input)).subarray(0, count), s * count);
  }
  return values;
}
