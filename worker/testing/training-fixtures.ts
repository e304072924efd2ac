/** What the parts of the contract on trainings share. */
import type { NetworkShape, Weights } from "../../shared/numerics/network.ts";
import { createOptimizerState } from "../../shared/numerics/optimizers.ts";
import type { Optimizer, TrainingRule } from "../../shared/numerics/training.ts";
import type { Engine } from "../engines/engine.ts";
import { inEngine, ruleFor, trainingSet, weightsOf } from "./engine-fixtures.ts";

export const SAMPLES = 24;

/** Every sample once, in a mixed order. */
export const order = Uint32Array.from({ length: SAMPLES }, (_, i) => (7 * i) % SAMPLES);

export const optimizers: readonly Optimizer[] = [
  { name: "sgd", learningRate: 0.05, momentum: 0.9 },
  { name: "adam", learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  { name: "rmsprop", learningRate: 0.01, decay: 0.99, epsilon: 1e-8 },
];

export interface TrainingCase {
  readonly rule?: TrainingRule;
  readonly passes?: readonly Uint32Array[];
  readonly weights?: Weights;
  readonly state?: ReturnType<typeof createOptimizerState>;
}

/** Weights, state and summed statistics after training passes over the samples. */
export function trained(engine: Engine, network: NetworkShape, given: TrainingCase = {}) {
  const { rule = ruleFor(network), passes = [order] } = given;
  const state = structuredClone(given.state ?? createOptimizerState(rule.optimizer, network));
  const loaded = engine.load(network, given.weights ?? weightsOf(network));
  const sum = { lossSum: 0, correct: 0, samples: 0 };
  for (const pass of passes) {
    const stats = loaded.train(trainingSet(network, SAMPLES), pass, rule, state);
    sum.lossSum += stats.lossSum;
    sum.correct += stats.correct;
    sum.samples += stats.samples;
  }
  const weights = loaded.weights();
  loaded.dispose();
  return { ...sum, weights, state };
}

/** The weights before any training, in the engine's precision. */
export function loadedWeights(engine: Engine, network: NetworkShape): Weights {
  return inEngine(engine, { network, weights: weightsOf(network) }, (loaded) => loaded.weights());
}
