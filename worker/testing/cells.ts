import type { CellPhysics } from "../../shared/cell.ts";
import { defaultOptions } from "../../shared/datasets/data-set.ts";
import { dataSet, makeDataSet } from "../../shared/datasets/registry.ts";

export type CellParts = Partial<Omit<CellPhysics, "data" | "training">> & {
  readonly samples?: number;
  readonly training?: Partial<CellPhysics["training"]>;
};

/** A small cell on the circle, by default two epochs of 6 batches on the reference engine. */
export function smallCell({ samples = 60, training, ...rest }: CellParts = {}): CellPhysics {
  const options = { ...defaultOptions(dataSet("circle")), samples, trainFraction: 0.8 };
  return {
    data: { name: "circle", options, digest: makeDataSet("circle", options).digest },
    network: {
      inputs: 2,
      hidden: [4, 3],
      outputs: 1,
      activation: "tanh",
      outputActivation: "tanh",
    },
    initialisation: { weightVariance: 0.3, thresholdVariance: 0.1 },
    seed: 3,
    engine: "reference-f64.1",
    ...rest,
    training: {
      loss: "squared-error",
      optimizer: { name: "adam", learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      batch: 8,
      epochs: 2,
      weightDecay: 0,
      freeze: "none",
      stopAtAccuracy: null,
      snapshots: [0, 1, "end"],
      ...training,
    },
  };
}
