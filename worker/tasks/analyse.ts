import type { NetworkSubject, SamplesSubject } from "../../shared/analyses/analysis.ts";
import type { PackedFindings } from "../../shared/analyses/pack.ts";
import { packed } from "../../shared/analyses/pack.ts";
import { analysisOf } from "../../shared/analyses/registry.ts";
import type { FileSamples } from "../../shared/datasets/registry.ts";
import { trainingSet } from "../../shared/datasets/targets.ts";
import { InvalidTaskError } from "../../shared/errors.ts";
import type { AnalysisTask } from "../../shared/messages.ts";
import type { LoadedNetwork } from "../engines/engine.ts";
import type { TileTools } from "./field.ts";
import { generatedSamples } from "./samples.ts";

/**
 * Computes what an analysis says of a network.
 * @param given the samples of a data set from files; those of a generated one are made here.
 * @throws InvalidTaskError if there is no such analysis, or not for workers.
 * @throws StoppedError when it is asked to stop.
 */
export function analyse(
  task: AnalysisTask,
  given: FileSamples | null,
  { weights, engine, progress }: TileTools,
): PackedFindings {
  const { network } = task;
  const { options } = task.analysis;
  const analysis = analysisOf(task.analysis);
  const loaded = engine.load(network, weights, progress.stopFlag);
  const subject: NetworkSubject = {
    network,
    weights,
    engine: engineNetwork(loaded, engine.callWork),
    progress(part) {
      progress.throwIfStopped();
      progress.set(part);
    },
  };
  try {
    if (analysis.reads === "network") return packed(analysis, analysis.compute(subject, options));
    if (analysis.reads === "samples") {
      return packed(analysis, analysis.compute(withSamples(subject, task, given), options));
    }
  } finally {
    loaded.dispose();
  }
  throw new InvalidTaskError(`analysis ${analysis.name} reads what only the store has`);
}

function engineNetwork(loaded: LoadedNetwork, callWork: number): NetworkSubject["engine"] {
  return {
    callWork,
    outputs: (inputs) => loaded.outputs(inputs),
    activations: (inputs, layer) => loaded.activations(inputs, layer),
    exponents: (inputs) => loaded.exponents(inputs),
  };
}

function withSamples(
  subject: NetworkSubject,
  { data, loss }: AnalysisTask,
  given: FileSamples | null,
): SamplesSubject {
  const { train, test, targets } = given ?? generatedSamples(data);
  return {
    ...subject,
    train: trainingSet(train, targets, loss),
    test: trainingSet(test, targets, loss),
    loss,
    targets,
  };
}
