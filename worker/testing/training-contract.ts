/** What every engine must do in trainings of some steps. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { Activation, NetworkShape, Weights } from "../../shared/numerics/network.ts";
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

/** Registers the tests of an engine's training. */
export function trainingContract(engine: Engine, tolerances: Tolerances): void {
  const it = (sentence: string, body: () => void) => test(`${engine.id}: ${sentence}`, body);

  it("the same training gives the same bytes twice", () => {
    const runs = [0, 1].map(() => trained(engine, tanhNetwork));
    assert.deepEqual(runs[0], runs[1]);
  });

  for (const optimizer of optimizers) {
    it(`a training resumed elsewhere equals one without interruption (${optimizer.name})`, () => {
      const rule = ruleFor(tanhNetwork, { optimizer });
      const whole = trained(engine, tanhNetwork, { rule, passes: [order, order] });
      const first = trained(engine, tanhNetwork, { rule, passes: [order] });
      const second = trained(engine, tanhNetwork, { ...first, rule, passes: [order] });
      assert.deepEqual(second.weights, whole.weights);
      assert.deepEqual(second.state, whole.state);
    });

    it(`an order cut between batches trains as the whole order does (${optimizer.name})`, () => {
      const rule = ruleFor(tanhNetwork, { optimizer });
      const whole = trained(engine, tanhNetwork, { rule, passes: [order] });
      const cut = [order.subarray(0, rule.batch), order.subarray(rule.batch)];
      const parts = trained(engine, tanhNetwork, { rule, passes: cut });
      assert.deepEqual(parts.weights, whole.weights);
      assert.equal(parts.correct, whole.correct);
      assert.equal(parts.samples, SAMPLES);
      // The parts' loss sums are added in another order.
      assertClose([parts.lossSum], [whole.lossSum], 1e-6 * whole.lossSum);
    });

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

  it("a training of one sample and a last batch of one are trained", () => {
    const rule = ruleFor(tanhNetwork, { batch: 2 });
    const { samples, lossSum } = trained(engine, tanhNetwork, {
      rule,
      passes: [Uint32Array.of(5, 1, 7)],
    });
    assert.equal(samples, 3);
    assert.ok(Number.isFinite(lossSum));
    const single = trained(engine, tanhNetwork, { rule, passes: [Uint32Array.of(5)] });
    assert.equal(single.samples, 1);
    assert.equal(single.state.step, 1);
  });

  it("an order of no samples changes nothing and is no step", () => {
    for (const optimizer of optimizers) {
      const rule = ruleFor(tanhNetwork, { optimizer });
      const before = trained(engine, tanhNetwork, { rule });
      const after = trained(engine, tanhNetwork, { ...before, rule, passes: [new Uint32Array(0)] });
      const { lossSum, correct, samples } = after;
      assert.deepEqual({ lossSum, correct, samples }, { lossSum: 0, correct: 0, samples: 0 });
      assert.deepEqual(after.weights, before.weights);
      assert.deepEqual(after.state, before.state);
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

const SAMPLES = 24;
const order = Uint32Array.from({ length: SAMPLES }, (_, i) => (7 * i) % SAMPLES);

const optimizers: readonly Optimizer[] = [
  { name: "sgd", learningRate: 0.05, momentum: 0.9 },
  { name: "adam", learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  { name: "rmsprop", learningRate: 0.01, decay: 0.99, epsilon: 1e-8 },
];

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

interface TrainingCase {
  readonly rule?: TrainingRule;
  readonly passes?: readonly Uint32Array[];
  readonly weights?: Weights;
  readonly state?: ReturnType<typeof createOptimizerState>;
}

/** Weights, state and summed statistics after training passes over the samples. */
function trained(engine: Engine, network: NetworkShape, given: TrainingCase = {}) {
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
function loadedWeights(engine: Engine, network: NetworkShape): Weights {
  return inEngine(engine, { network, weights: weightsOf(network) }, (loaded) => loaded.weights());
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
