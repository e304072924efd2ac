/** What every engine must do with a learning rate that changes from step to step. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Weights } from "../../shared/numerics/network.ts";
import { createOptimizerState } from "../../shared/numerics/optimizers.ts";
import type { Optimizer, OptimizerState, TrainingRule } from "../../shared/numerics/training.ts";
import type { Engine } from "../engines/engine.ts";
import { referenceEngine } from "../engines/reference.ts";
import {
  assertNamedClose,
  inEngine,
  inOrder,
  ruleFor,
  tanhNetwork,
  trainingSet,
  weightsOf,
} from "./engine-fixtures.ts";
import type { Tolerances } from "./tolerances.ts";

/** Registers the tests of one engine. */
export function scheduleContract(engine: Engine, tolerances: Tolerances): void {
  for (const optimizer of optimizers) {
    const it = (sentence: string, body: () => void) =>
      test(`${engine.id}: ${sentence} (${optimizer.name})`, body);
    const rule = ruleFor(tanhNetwork, { optimizer, batch: BATCH });

    it("the rate of every step is what the rule says, as if each had a rule of its own", () => {
      const whole = trained(engine, [{ ...rule, rateAt }]);
      const alone = Array.from({ length: STEPS }, (_, step) => {
        return { ...rule, optimizer: { ...optimizer, learningRate: rateAt(step) } };
      });
      assert.deepEqual(whole, trained(engine, alone));
    });

    it("a rule that says the optimizer's own rate changes no byte", () => {
      const same = { ...rule, rateAt: () => optimizer.learningRate };
      assert.deepEqual(trained(engine, [same]), trained(engine, [rule]));
    });

    it("steps of changing rates agree with the reference", () => {
      const [ours, theirs] = [engine, referenceEngine].map(
        (one) => trained(one, [{ ...rule, rateAt }]).weights,
      );
      ours!.forEach(({ weight, bias }, l) => {
        // As in three steps of one rate (training-contract.ts).
        const tolerance = 10 * tolerances.gradient;
        const expected = theirs![l]!;
        assertNamedClose(`weights ${l}`, { actual: weight, expected: expected.weight, tolerance });
        assertNamedClose(`biases ${l}`, { actual: bias, expected: expected.bias, tolerance });
      });
    });
  }
}

const BATCH = 8;
const STEPS = 3;

const optimizers: readonly Optimizer[] = [
  { name: "sgd", learningRate: 0.05, momentum: 0.9 },
  { name: "adam", learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  { name: "rmsprop", learningRate: 0.01, decay: 0.99, epsilon: 1e-8 },
];

/** Up, then down; float32 holds all of them, so that no engine rounds one in another place. */
function rateAt(step: number): number {
  return [0.015625, 0.0625, 0.03125][step]!;
}

interface TrainedSteps {
  readonly weights: Weights;
  readonly state: OptimizerState;
}

/** After `STEPS` batches: in one call with one rule, or in a call for each of as many rules. */
function trained(engine: Engine, rules: readonly TrainingRule[]): TrainedSteps {
  const samples = STEPS * BATCH;
  const set = trainingSet(tanhNetwork, samples);
  const share = samples / rules.length;
  const state = createOptimizerState(rules[0]!.optimizer, tanhNetwork);
  const given = { network: tanhNetwork, weights: weightsOf(tanhNetwork) };
  return inEngine(engine, given, (loaded) => {
    rules.forEach((rule, i) => {
      const order = inOrder(samples).subarray(i * share, (i + 1) * share);
      loaded.train(set, order, rule, state);
    });
    return { weights: loaded.weights(), state };
  });
}
