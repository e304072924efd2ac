/** What every engine must do with unusual samples: not finite, missing, or incomplete. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { NetworkShape } from "../../shared/numerics/network.ts";
import { createOptimizerState } from "../../shared/numerics/optimizers.ts";
import type { TrainingRule, TrainingSet, TrainingStats } from "../../shared/numerics/training.ts";
import type { Engine } from "../engines/engine.ts";
import {
  activations,
  inEngine,
  inOrder,
  ruleFor,
  tanhNetwork,
  trainingSet,
  weightsOf,
} from "./engine-fixtures.ts";

const SAMPLES = 5;

/** Registers the tests of an engine's training with unusual samples. */
export function trainingSamplesContract(engine: Engine): void {
  const it = (sentence: string, body: () => void) => test(`${engine.id}: ${sentence}`, body);

  /** Trains two passes and returns the statistics of the first. */
  function train(network: NetworkShape, set: TrainingSet, given: Partial<TrainingRule> = {}) {
    const rule = ruleFor(network, { batch: 2, ...given });
    const state = createOptimizerState(rule.optimizer, network);
    return inEngine(engine, { network, weights: weightsOf(network) }, (loaded): TrainingStats => {
      const stats = loaded.train(set, inOrder(SAMPLES), rule, state);
      loaded.train(set, inOrder(SAMPLES), rule, state);
      return stats;
    });
  }

  it("a NaN in the samples makes the loss NaN, and the pass ends", () => {
    for (const activation of activations) {
      for (const [loss, outputActivation] of [
        ["squared-error", activation],
        ["softmax-cross-entropy", "linear"],
        ["binary-cross-entropy", "sigmoid"],
      ] as const) {
        const network = { ...tanhNetwork, activation, outputActivation, outputs: 3 };
        const set = trainingSet(network, SAMPLES);
        set.inputs[3] = Number.NaN;
        const { lossSum, samples } = train(network, set, { loss });
        assert.ok(Number.isNaN(lossSum), `${activation}, ${loss}: ${lossSum}`);
        assert.equal(samples, SAMPLES);
      }
    }
  });

  it("a training with an infinite input ends", () => {
    for (const activation of activations) {
      const network = { ...tanhNetwork, activation };
      const set = trainingSet(network, SAMPLES);
      set.inputs[3] = Number.NEGATIVE_INFINITY;
      assert.equal(train(network, set).samples, SAMPLES);
    }
  });

  it("a training that diverges returns a loss that is not finite", () => {
    const network = { ...tanhNetwork, activation: "linear", outputActivation: "linear" } as const;
    const rule = ruleFor(network, { optimizer: { name: "sgd", learningRate: 1e6, momentum: 0 } });
    const state = createOptimizerState(rule.optimizer, network);
    const losses = inEngine(engine, { network, weights: weightsOf(network) }, (loaded) => {
      const set = trainingSet(network, SAMPLES);
      return Array.from(
        { length: 120 },
        () => loaded.train(set, inOrder(SAMPLES), rule, state).lossSum,
      );
    });
    assert.ok(!Number.isFinite(losses.at(-1)));
  });

  it("samples that are not in the set, and sets that are not whole, throw RangeError", () => {
    const set = trainingSet(tanhNetwork, SAMPLES);
    for (const wrong of [
      { ...set, samples: SAMPLES - 1 },
      { ...set, samples: SAMPLES + 1 },
      { ...set, inputs: set.inputs.subarray(1) },
      { ...set, targets: set.targets.subarray(1) },
      trainingSet(tanhNetwork, SAMPLES - 1),
    ]) {
      assert.throws(() => train(tanhNetwork, wrong), RangeError);
    }
  });

  it("a loss that the output layer does not fit throws RangeError", () => {
    const set = trainingSet(tanhNetwork, SAMPLES);
    for (const loss of ["softmax-cross-entropy", "binary-cross-entropy"] as const) {
      assert.throws(() => train(tanhNetwork, set, { loss }), RangeError);
    }
  });
}
