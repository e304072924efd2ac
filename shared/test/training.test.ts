import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { circle } from "../datasets/circle.ts";
import { defaultOptions } from "../datasets/data-set.ts";
import { trainer } from "../numerics/backpropagation.ts";
import { countCorrect } from "../numerics/classification.ts";
import { activations } from "../numerics/forward.ts";
import { initialWeights } from "../numerics/initialise.ts";
import { constantLoss, lossSum } from "../numerics/losses.ts";
import { float64Weights, type NetworkShape } from "../numerics/network.ts";
import { createOptimizerState, optimizerStep } from "../numerics/optimizers.ts";
import { permutation } from "../numerics/permutation.ts";
import { randomStream } from "../numerics/random-stream.ts";
import type { Optimizer, TrainingRule, TrainingSet } from "../numerics/training.ts";
import { repositoryFile } from "../testing/repository.ts";

const reference = JSON.parse(
  readFileSync(repositoryFile("shared/test/reference/network.json"), "utf8"),
);

for (const example of reference.cases) {
  const { network, loss } = example;
  const set: TrainingSet = {
    samples: 6,
    inputs: Float32Array.from(example.inputs),
    targets: Float32Array.from(example.targets),
  };
  const name = `${loss} of the ${network.activation} network`;

  test(`training: gradient and mean of ${name} agree with NumPy's complex steps to 1e-13`, () => {
    const weights = float64Weights(network, example.weights);
    const rule = ruleFor(network, { loss, batch: 6, optimizer: sgd(1) });
    const stats = pass(network, weights, set, rule);
    assertClose(stats.lossSum / 6, example.meanLoss, 1e-14);
    for (const [l, { weight, bias }] of weights.entries()) {
      for (const [kind, after] of [
        ["weight", weight],
        ["bias", bias],
      ] as const) {
        for (const [i, value] of after.entries()) {
          const gradient = example.weights[l][kind][i] - value;
          assertClose(gradient, example.gradient[l][kind][i], 1e-13);
        }
      }
    }
  });

  test(`losses: ${name} from the outputs alone is the same`, () => {
    assertClose(
      lossSum(loss, Float64Array.from(example.outputs), set) / 6,
      example.meanLoss,
      1e-14,
    );
  });
}

const steps = 5;
const closedForms: [Optimizer, number][] = [
  // Displacement after five steps along a constant gradient of 2.
  [sgd(0.1), 0.1 * 2 * steps],
  [{ ...sgd(0.1), momentum: 0.5 }, 0.1 * 2 * (1 + 1.5 + 1.75 + 1.875 + 1.9375)],
  [
    { name: "adam", learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-3 },
    (0.1 * 2 * steps) / 2.001,
  ],
  [
    { name: "rmsprop", learningRate: 0.1, decay: 0.75, epsilon: 1e-3 },
    [1, 2, 3, 4, 5].reduce((sum, n) => sum + 0.2 / (2 * Math.sqrt(1 - 0.75 ** n) + 1e-3), 0),
  ],
];

for (const [optimizer, displacement] of closedForms) {
  test(`optimisers: ${JSON.stringify(optimizer)} moves along a constant gradient as computed by hand`, () => {
    const network = { ...tiny, hidden: [1] };
    const weights = float64Weights(network, initialWeights(network, scale, [1, 1]));
    const before = weights[0]!.weight[0]!;
    const state = createOptimizerState(optimizer, network);
    const gradient = weights.map(({ weight, bias }) => ({
      weight: weight.map(() => 2),
      bias: bias.map(() => 2),
    }));
    const rule = ruleFor(network, { optimizer });
    for (let i = 0; i < steps; i++) optimizerStep(weights, gradient, rule, state);
    assertClose(before - weights[0]!.weight[0]!, displacement, 1e-14);
    assert.equal(state.step, steps);
  });
}

test("optimisers: weight decay pulls weights towards 0 and leaves biases alone", () => {
  const weights = [{ weight: Float64Array.of(2), bias: Float64Array.of(3) }];
  const gradient = [{ weight: Float64Array.of(1), bias: Float64Array.of(1) }];
  const rule = { ...ruleFor(tiny), optimizer: sgd(0.5), weightDecay: 0.1, frozen: [false] };
  optimizerStep(weights, gradient, rule, { step: 0, moments: [{ weight: [], bias: [] }] });
  assertClose(weights[0]!.weight[0]!, 2 - 0.5 * (1 + 0.2), 1e-15);
  assertClose(weights[0]!.bias[0]!, 2.5, 1e-15);
});

test("training: only the layers that are not frozen change", () => {
  for (const frozen of [
    [true, true, false],
    [false, true, true],
    [true, true, true],
  ]) {
    const network = { ...tiny, hidden: [3, 3] };
    const weights = float64Weights(network, initialWeights(network, scale, [1, 1]));
    const before = structuredClone(weights);
    pass(network, weights, twoPoints, ruleFor(network, { frozen, weightDecay: 0.1 }));
    for (const [l, isFrozen] of frozen.entries()) {
      if (isFrozen) assert.deepEqual(weights[l], before[l]);
      else assert.notDeepEqual(weights[l], before[l]);
    }
  }
});

test("training: one trainer serves batches of any size, larger ones after smaller", () => {
  const weights = float64Weights(tiny, initialWeights(tiny, scale, [1, 1]));
  const fresh = structuredClone(weights);
  const kept = trainer(tiny, weights);
  for (const batch of [1, 2, 1]) {
    const rule = ruleFor(tiny, { batch });
    const state = createOptimizerState(rule.optimizer, tiny);
    const order = Uint32Array.of(1, 0);
    kept({ set: twoPoints, order, rule, state });
    trainer(tiny, fresh)({ set: twoPoints, order, rule, state });
  }
  assert.deepEqual(weights, fresh);
});

test("losses: cross-entropies of huge logits stay finite", () => {
  for (const [loss, outputActivation, outputs] of [
    ["binary-cross-entropy", "sigmoid", 1],
    ["softmax-cross-entropy", "linear", 2],
  ] as const) {
    const network = { ...tiny, outputActivation, outputs };
    const weights = float64Weights(network, initialWeights(network, scale, [1, 1]));
    weights[1]!.bias[0] = 1000;
    const targets = outputs === 1 ? [0, 1] : [0, 1, 1, 0];
    const set = { ...twoPoints, targets: Float32Array.from(targets) };
    const stats = pass(network, weights, set, ruleFor(network, { loss }));
    assertClose(stats.lossSum, 1000, 10);
    assert.ok(weights.every(({ weight }) => weight.every(Number.isFinite)));
  }
  const saturated = { samples: 2, targets: Float32Array.of(0, 1) };
  assert.equal(lossSum("binary-cross-entropy", Float64Array.of(1, 1), saturated), 100);
});

test("losses: the best constant output has the variance or the entropy of the targets", () => {
  const signs = { samples: 4, targets: Float32Array.of(-1, 1, 1, 1) };
  assertClose(constantLoss("squared-error", signs), 0.75, 1e-15);
  const bits = { samples: 4, targets: Float32Array.of(0, 1, 0, 1) };
  assertClose(constantLoss("binary-cross-entropy", bits), Math.LN2, 1e-15);
  const oneHot = { samples: 2, targets: Float32Array.of(1, 0, 0, 0, 1, 0) };
  assertClose(constantLoss("softmax-cross-entropy", oneHot), Math.LN2, 1e-15);
});

test("classification: one output by its side of the boundary, several by the largest", () => {
  const signs = { samples: 4, targets: Float32Array.of(-1, 1, -1, 1) };
  assert.equal(countCorrect(tiny, Float64Array.of(-0.1, 0.1, 0.1, -0.1), signs), 2);
  const bits = { samples: 4, targets: Float32Array.of(0, 1, 0, 1) };
  const sigmoid = { ...tiny, outputActivation: "sigmoid" } as const;
  assert.equal(countCorrect(sigmoid, Float64Array.of(0.4, 0.6, 0.6, 0.4), bits), 2);
  const oneHot = { samples: 2, targets: Float32Array.of(0, 0, 1, 0, 1, 0) };
  const three = { ...tiny, outputs: 3 };
  assert.equal(countCorrect(three, Float64Array.of(-3, -2, -1, 5, 4, 3), oneHot), 1);
});

test("training: a network of N = 10, L = 2 classifies 98 % of a circle within twelve epochs", () => {
  const { train, test } = circle.make(defaultOptions(circle));
  const network = { ...tiny, hidden: [10, 10] };
  const critical = { weightVariance: 1 / 10, thresholdVariance: 0 };
  const weights = float64Weights(network, initialWeights(network, critical, [1, 2]));
  const rule = ruleFor(network, { batch: 128, optimizer: sgd(0.05) });
  const state = createOptimizerState(rule.optimizer, network);
  const step = trainer(network, weights);
  let best = 0;
  for (let epoch = 1; epoch <= 12 && best < 0.98; epoch++) {
    const order = permutation(train.samples, randomStream([1, 2], "order", epoch));
    step({ set: train, order, rule, state });
    const correct = countCorrect(network, activations(network, weights, test.inputs), test);
    best = Math.max(best, correct / test.samples);
  }
  assert.ok(best >= 0.98, `accuracy ${best}`);
});

const tiny: NetworkShape = {
  inputs: 2,
  hidden: [3],
  outputs: 1,
  activation: "tanh",
  outputActivation: "tanh",
};
const scale = { weightVariance: 0.5, thresholdVariance: 0.1 };
const twoPoints: TrainingSet = {
  samples: 2,
  inputs: Float32Array.of(0.5, -0.25, -1, 0.75),
  targets: Float32Array.of(1, -1),
};

function sgd(learningRate: number) {
  return { name: "sgd", learningRate, momentum: 0 } as const;
}

function ruleFor(network: NetworkShape, rule: Partial<TrainingRule> = {}): TrainingRule {
  return {
    loss: "squared-error",
    optimizer: sgd(0.1),
    batch: 2,
    weightDecay: 0,
    frozen: [...network.hidden.map(() => false), false],
    ...rule,
  };
}

/** One pass over all samples in their own order. */
function pass(
  network: NetworkShape,
  weights: ReturnType<typeof float64Weights>,
  set: TrainingSet,
  rule: TrainingRule,
) {
  const order = Uint32Array.from({ length: set.samples }, (_, i) => i);
  const state = createOptimizerState(rule.optimizer, network);
  return trainer(network, weights)({ set, order, rule, state });
}

function assertClose(actual: number, expected: number, tolerance: number): void {
  assert.ok(
    Math.abs(actual - expected) <= tolerance,
    `${actual}, expected ${expected} ± ${tolerance}`,
  );
}
