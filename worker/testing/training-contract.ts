/** How every engine must change the weights in a training, and that it computes with the new ones afterwards. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { Activation, NetworkShape } from "../../shared/numerics/network.ts";
import { createOptimizerState } from "../../shared/numerics/optimizers.ts";
import type { Loss, Optimizer, TrainingRule } from "../../shared/numerics/training.ts";
import type { Engine, LoadedNetwork } from "../engines/engine.ts";
import { referenceEngine } from "../engines/reference.ts";
import {
  activations,
  assertClose,
  inEngine,
  ruleFor,
  somePoints,
  tanhNetwork,
  trainingSet,
  weightsOf,
} from "./engine-fixtures.ts";
import type { Tolerances } from "./tolerances.ts";
import { loadedWeights, optimizers, order, SAMPLES, trained } from "./training-fixtures.ts";

/** Registers the tests of an engine's training. */
export function trainingContract(engine: Engine, tolerances: Tolerances): void {
  const it = (sentence: string, body: () => void) => test(`${engine.id}: ${sentence}`, body);

  for (const optimizer of optimizers) {
    it(`three steps agree with the reference (${optimizer.name})`, () => {
      const rule = ruleFor(tanhNetwork, { optimizer, weightDecay: 0.01 });
      const ours = trained(engine, tanhNetwork, { rule, passes: [order] });
      const theirs = trained(referenceEngine, tanhNetwork, { rule, passes: [order] });
      ours.weights.forEach(({ weight, bias }, l) => {
        // An adaptive step divides small gradients by their own size: errors are those of a step.
        const tolerance = 10 * tolerances.gradient;
        assertClose(weight, theirs.weights[l]!.weight, tolerance);
        assertClose(bias, theirs.weights[l]!.bias, tolerance);
      });
    });
  }

  for (const activation of activations) {
    for (const [loss, outputActivation] of losses(activation)) {
      it(`gradient of ${loss} through ${activation} equals central differences`, () => {
        const network = { ...tanhNetwork, activation, outputActivation, outputs: 3 };
        // A step so long that rounding of the weights themselves does not count.
        const rule = ruleFor(network, { loss, optimizer: plainSgd(2 ** 10), batch: SAMPLES });
        const before = loadedWeights(engine, network);
        const after = trained(engine, network, { rule, passes: [order] }).weights;
        const gradients = before.map(({ weight }, l) =>
          Array.from(weight, (w, i) => (w - after[l]!.weight[i]!) / 2 ** 10),
        );
        const scale = Math.max(...gradients.flat().map(Math.abs));
        for (const [l, gradient] of gradients.entries()) {
          for (const i of [0, gradient.length - 1]) {
            const expected = lossDifference(network, rule, { l, i });
            assertClose([gradient[i]!], [expected], (tolerances.gradient + 1e-7) * scale);
          }
        }
      });
    }
  }

  it("frozen layers and their moments do not change, and the others do", () => {
    for (const optimizer of optimizers) {
      for (const frozen of [
        [true, false, true],
        [true, true, false],
        [false, true, false],
        [true, true, true],
      ]) {
        const rule = ruleFor(tanhNetwork, { optimizer, frozen, weightDecay: 0.01 });
        const { weights, state } = trained(engine, tanhNetwork, { rule });
        const before = loadedWeights(engine, tanhNetwork);
        frozen.forEach((isFrozen, l) => {
          const { weight, bias } = state.moments[l]!;
          const isAtRest = [...weight, ...bias].every((moment) => moment.every((m) => m === 0));
          assert.equal(isAtRest, isFrozen);
          assert.equal(isDeepStrictEqual(weights[l], before[l]), isFrozen);
        });
      }
    }
  });

  it("after a training everything is computed with the new weights", () => {
    // Both kinds of exponents, and more inputs than neurons, whose weights an engine may have compressed.
    for (const inputs of [2, 5, 30]) {
      const network = { ...tanhNetwork, inputs };
      const rule = ruleFor(network, { optimizer: plainSgd(0.5) });
      const state = createOptimizerState(rule.optimizer, network);
      const given = { network, weights: weightsOf(network) };
      const [before, after, weights] = inEngine(engine, given, (loaded) => {
        const early = everything(loaded, inputs);
        loaded.train(trainingSet(network, SAMPLES), order, rule, state);
        return [early, everything(loaded, inputs), loaded.weights()];
      });
      const fresh = inEngine(engine, { network, weights }, (loaded) => everything(loaded, inputs));
      assert.deepEqual(after, fresh);
      assert.notDeepEqual(after, before);
    }
  });
}

function plainSgd(learningRate: number): Optimizer {
  return { name: "sgd", learningRate, momentum: 0 };
}

/** Every loss with the output layer that it needs. */
function losses(activation: Activation): [Loss, Activation][] {
  return [
    ["squared-error", activation],
    ["softmax-cross-entropy", "linear"],
    ["binary-cross-entropy", "sigmoid"],
  ];
}

/** Slope of the mean loss along weight `i` of layer `l`, from the reference at w ± h. */
function lossDifference(
  network: NetworkShape,
  rule: TrainingRule,
  { l, i }: { l: number; i: number },
): number {
  const h = 2 ** -17;
  const [above, below] = [h, -h].map((step) => {
    const weights = weightsOf(network);
    weights[l]!.weight[i]! += step;
    return trained(referenceEngine, network, { rule, weights }).lossSum / SAMPLES;
  });
  return (above! - below!) / (2 * h);
}

function everything(loaded: LoadedNetwork, inputs: number) {
  const points = somePoints(3 * inputs);
  const axis = Float64Array.of(-0.5, 0, 0.5);
  return {
    outputs: loaded.outputs(points),
    activations: loaded.activations(points, 1),
    exponents: loaded.exponents(points),
    field: inputs === 2 ? loaded.field({ x: axis, y: axis, layers: "all" }) : null,
  };
}
