/** The option `at`: at which samples of the data set. */
import type { OptionRule, OptionValues } from "../datasets/data-set.ts";
import type { NetworkShape } from "../numerics/network.ts";
import { parameterCount } from "../numerics/network.ts";
import type { TrainingSet } from "../numerics/training.ts";
import type { AnalysedSize, SamplesSubject } from "./analysis.ts";

export const splitOption: OptionRule = {
  kind: "choice",
  default: "test",
  choices: ["train", "test"],
  doc: "At the samples of which split.",
};

export function splitOf(subject: SamplesSubject, { at }: OptionValues): TrainingSet {
  return at === "train" ? subject.train : subject.test;
}

export function samplesIn({ samples }: AnalysedSize, { at }: OptionValues): number {
  return at === "train" ? samples.train : samples.test;
}

/** Calls back with the inputs of so many samples at a time that an engine's call is short, and tells the progress. */
export function inBlocks(
  { network, engine, progress }: SamplesSubject,
  { set, workOfSample }: { readonly set: TrainingSet; readonly workOfSample: number },
  visit: (inputs: Float32Array, from: number) => void,
): void {
  const block = Math.max(1, Math.floor(engine.callWork / workOfSample));
  for (let from = 0; from < set.samples; from += block) {
    progress(from / set.samples);
    const to = Math.min(set.samples, from + block);
    visit(set.inputs.subarray(from * network.inputs, to * network.inputs), from);
  }
}

/** One operation of plain float64 TypeScript takes about as long as so many of an engine; measured with `weights` of width 700. */
export const SCALAR_WORK = 100;

/** Operations of one sample on its way through a network. */
export function forwardWorkOf(network: NetworkShape): number {
  return 2 * parameterCount(network);
}

/** Operations of the exponents at one input: every layer multiplies a matrix with as many columns as N_0 or N_1 at most. */
export function exponentsWorkOf(network: NetworkShape): number {
  return forwardWorkOf(network) * (1 + Math.min(network.inputs, network.hidden[0]!));
}
