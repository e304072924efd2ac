/** What every engine must do in training. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Activation, NetworkShape, Weights } from "../../shared/numerics/network.ts";
import { createOptimizerState } from "../../shared/numerics/optimizers.ts";
import type { Loss, Optimizer, TrainingRule, TrainingSet } from "../../shared/numerics/training.ts";
import type { Engine } from "../engines/engine.ts";
import { referenceEngine } from "../engines/reference.ts";
import type { Tolerances } from "./engine-contract.ts";
import { assertClose, somePoints, tanhNetwork, weightsOf } from "./engine-fixtures.ts";

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

  for (const activation of ["tanh", "sigmoid", "relu", "linear"] as const) {
    for (const [loss, outputActivation] of losses(activation)) {
      it(`gradient of ${loss} through ${activation} equals central differences`, () => {
        const network = { ...tanhNetwork, activation, outputActivation, outputs: 3 };
        // A step so long that rounding of the weights themselves does not count.
        const rule = ruleFor(network, { loss, optimizer: plainSgd(2 ** 10), batch: SAMPLES });
        const before = engine.load(network, weightsOf(network)).weights();
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

  it("frozen layers do not change and the others do", () => {
    const rule = ruleFor(tanhNetwork, { optimizer: optimizers[1]!, frozen: [true, false, true] });
    const before = engine.load(tanhNetwork, weightsOf(tanhNetwork)).weights();
    const { weights } = trained(engine, tanhNetwork, { rule });
    assert.deepEqual(weights[0], before[0]);
    assert.notDeepEqual(weights[1], before[1]);
    assert.deepEqual(weights[2], before[2]);
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

  it("a training that diverges returns a loss that is not finite", () => {
    const network = { ...tanhNetwork, activation: "linear", outputActivation: "linear" } as const;
    const rule = ruleFor(network, { optimizer: plainSgd(1e6) });
    const passes = new Array<Uint32Array>(40).fill(order);
    assert.ok(!Number.isFinite(trained(engine, network, { rule, passes }).lossSum));
  });

  it("a loss that the output layer does not fit throws RangeError", () => {
    const rule = ruleFor(tanhNetwork, { loss: "softmax-cross-entropy" });
    assert.throws(() => trained(engine, tanhNetwork, { rule }), RangeError);
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

function ruleFor(network: NetworkShape, rule: Partial<TrainingRule> = {}): TrainingRule {
  return {
    loss: "squared-error",
    optimizer: plainSgd(0.05),
    batch: 8,
    weightDecay: 0,
    frozen: [...network.hidden, network.outputs].map(() => false),
    ...rule,
  };
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
    const stats = loaded.train(trainingSet(network), pass, rule, state);
    sum.lossSum += stats.lossSum;
    sum.correct += stats.correct;
    sum.samples += stats.samples;
  }
  const weights = loaded.weights();
  loaded.dispose();
  return { ...sum, weights, state };
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

/** Random inputs; one-hot targets, or ±1 for one output. */
function trainingSet(network: NetworkShape): TrainingSet {
  const { inputs, outputs } = network;
  const targets = Float32Array.from({ length: SAMPLES * outputs }, (_, at) => {
    const sample = Math.floor(at / outputs);
    return outputs === 1 ? (sample % 2 === 0 ? -1 : 1) : at % outputs === sample % outputs ? 1 : 0;
  });
  return { samples: SAMPLES, inputs: somePoints(SAMPLES * inputs), targets };
}
