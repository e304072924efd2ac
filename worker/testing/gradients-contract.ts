/** Every engine must agree with the reference in the gradient and the update of single steps. */
import { test } from "node:test";
import type { Activation, NetworkShape } from "../../shared/numerics/network.ts";
import { createOptimizerState } from "../../shared/numerics/optimizers.ts";
import type { Loss, Optimizer, OptimizerState } from "../../shared/numerics/training.ts";
import type { Engine, LoadedNetwork } from "../engines/engine.ts";
import { assertAgrees, type Numbers } from "./agreement.ts";
import {
  activations,
  type Given,
  inOrder,
  layers,
  ruleFor,
  tanhNetwork,
  trainingSet,
  weightsOf,
} from "./engine-fixtures.ts";
import type { Tolerances } from "./tolerances.ts";

/** Registers the tests of an engine's gradients. */
export function gradientsContract(engine: Engine, tolerances: Tolerances): void {
  const it = (sentence: string, body: () => void) => test(`${engine.id}: ${sentence}`, body);

  /** Each component relative to the largest of its layer. */
  function assertSameGradients(given: Given, pass: Pass, { rounding = 0, error = 0 } = {}): void {
    const relative = tolerances.gradient + error;
    assertAgrees(engine, {
      ...given,
      rounding,
      compute: (loaded) => gradients(loaded, given.network, pass),
      tolerance: ({ loss, correct: _, ...components }) => ({
        loss: [relative * loss![0]!],
        correct: [0],
        ...relativeToLargest(components, relative),
      }),
    });
  }

  for (const hidden of [[1], [1, 1, 1], [50, 33, 1, 17], [64, 24]]) {
    it(`gradients through [${hidden}] agree with the reference in batches of every size`, () => {
      const network = { ...tanhNetwork, hidden, outputs: 3 };
      const given = { network, weights: weightsOf(network) };
      for (const [batch, samples] of [
        [1, 3],
        [7, 17],
        [20, 46],
        [128, 298],
        [300, 300],
      ] as const) {
        assertSameGradients(given, { loss: "squared-error", batch, samples });
      }
    });
  }

  for (const [loss, outputActivation, outputs] of losses) {
    it(`gradients of ${loss} of ${outputs} ${outputActivation} outputs agree with the reference`, () => {
      for (const activation of activations) {
        const network = { ...tanhNetwork, hidden: [13, 6], activation, outputActivation, outputs };
        const given = { network, weights: weightsOf(network) };
        for (const samples of [1, 20]) assertSameGradients(given, { loss, batch: 20, samples });
      }
    });
  }

  for (const hidden of [[3, 1000, 2], layers(100, 10)]) {
    const name = hidden.length < 100 ? `[${hidden}]` : "100 layers";
    it(`gradients through ${name} agree with the reference`, () => {
      const network = { ...tanhNetwork, hidden };
      const given = { network, weights: weightsOf(network, { thresholdVariance: 0.01 }) };
      const pass = { loss: "squared-error", batch: 7, samples: 7 } as const;
      assertSameGradients(given, pass, { rounding: tolerances.stretching });
    });
  }

  for (const activation of ["tanh", "sigmoid"] as const) {
    it(`gradients behind ${activation} layers saturated at |b| = 40 keep their relative accuracy`, () => {
      const network = { ...tanhNetwork, activation, hidden: [6, 5, 4] };
      const weights = weightsOf(network);
      weights[1]!.bias.forEach((_, i, bias) => {
        bias[i] = i % 2 === 0 ? 40 : -40;
      });
      // The local fields are rounded to float32, and the slopes are exp(−2|b|) or exp(−|b|).
      const error = 2 * 40 * 2 ** -24;
      const pass = { loss: "squared-error", batch: 9, samples: 9 } as const;
      assertSameGradients({ network, weights }, pass, { error });
    });
  }

  for (const [loss, outputActivation, outputs] of [
    ["softmax-cross-entropy", "linear", 4],
    ["binary-cross-entropy", "sigmoid", 1],
  ] as const) {
    it(`${loss} of outputs with fields of some hundred is finite and right`, () => {
      const network = { ...tanhNetwork, outputActivation, outputs };
      const weights = weightsOf(network);
      weights[2]!.weight.forEach((w, i, weight) => {
        weight[i] = Math.fround(300 * w);
      });
      const pass = { loss, batch: 20, samples: 20 };
      assertSameGradients({ network, weights }, pass, { rounding: tolerances.stretching });
    });
  }

  it("weights of zero have the reference's gradients", () => {
    const weights = weightsOf(tanhNetwork).map(({ weight, bias }) => {
      return { weight: weight.fill(0), bias: bias.fill(0) };
    });
    const pass = { loss: "squared-error", batch: 3, samples: 5 } as const;
    assertSameGradients({ network: tanhNetwork, weights }, pass);
  });

  for (const optimizer of optimizers) {
    const { name } = optimizer;
    const kind = name === "sgd" && optimizer.momentum === 0 ? "sgd without momentum" : name;

    it(`a step from a given state, with weight decay, is the reference's (${kind})`, () => {
      const given = { network: tanhNetwork, weights: weightsOf(tanhNetwork) };
      assertAgrees(engine, {
        ...given,
        compute: (loaded) => step(loaded, given, optimizer),
        tolerance: (numbers) => relativeToLargest(numbers, tolerances.gradient),
      });
    });
  }
}

/** Every loss with every output layer that it can have. */
const losses: readonly [Loss, Activation, number][] = [
  ...activations.map((g, i): [Loss, Activation, number] => ["squared-error", g, 1 + (i % 3)]),
  ["softmax-cross-entropy", "linear", 3],
  ["softmax-cross-entropy", "linear", 10],
  ["binary-cross-entropy", "sigmoid", 1],
  ["binary-cross-entropy", "sigmoid", 3],
];

interface Pass {
  readonly loss: Loss;
  readonly batch: number;
  readonly samples: number;
}

/**
 * The velocity after a pass: the gradient of its last batch, and ½ of the one before, and so on. Weights hardly
 * move, and their precision does not count.
 */
function gradients(loaded: LoadedNetwork, network: NetworkShape, pass: Pass): Numbers {
  const { loss, batch, samples } = pass;
  const optimizer: Optimizer = { name: "sgd", learningRate: 2 ** -10, momentum: 0.5 };
  const state = createOptimizerState(optimizer, network);
  const rule = ruleFor(network, { loss, batch, optimizer });
  const set = trainingSet(network, samples);
  const { lossSum, correct } = loaded.train(set, inOrder(samples), rule, state);
  return { loss: [lossSum], correct: [correct], ...namedMoments(state, 0) };
}

/** Numbers far from the defaults, so that each of them counts. */
const optimizers: readonly Optimizer[] = [
  { name: "sgd", learningRate: 16, momentum: 0 },
  { name: "sgd", learningRate: 16, momentum: 0.7 },
  { name: "adam", learningRate: 16, beta1: 0.8, beta2: 0.9, epsilon: 0.05 },
  { name: "rmsprop", learningRate: 16, decay: 0.9, epsilon: 0.05 },
];

/**
 * What a step of one batch changes in the weights, in units of the learning rate, which is so large that the
 * precision of the weights does not count; and the moments after it. It starts after 5 steps.
 */
function step(loaded: LoadedNetwork, { network, weights }: Given, optimizer: Optimizer): Numbers {
  const state = createOptimizerState(optimizer, network);
  state.step = 5;
  for (const { weight, bias } of state.moments) {
    for (const moments of [weight, bias]) {
      moments.forEach((moment, m) => {
        // The last one of adam and rmsprop is of squares.
        const isSquare = optimizer.name !== "sgd" && m === moments.length - 1;
        for (let i = 0; i < moment.length; i++) {
          const value = ((7 * i + 3) % 11) / 8 - 0.5;
          moment[i] = isSquare ? value * value : value;
        }
      });
    }
  }
  const rule = ruleFor(network, { optimizer, batch: 9, weightDecay: 0.25 });
  loaded.train(trainingSet(network, 9), inOrder(9), rule, state);
  const changes = loaded.weights().map(({ weight, bias }, l) => {
    const from = [...weights[l]!.weight, ...weights[l]!.bias];
    return [...weight, ...bias].map((to, i) => (to - from[i]!) / optimizer.learningRate);
  });
  const named = changes.map((change, l) => [`change of layer ${l + 1}`, change] as const);
  const moments = state.moments[0]!.weight.map((_, m) => namedMoments(state, m));
  return Object.assign({ steps: [state.step] }, Object.fromEntries(named), ...moments);
}

/** The m-th moments of each layer's weights and biases. */
function namedMoments({ moments }: OptimizerState, m: number): Numbers {
  const named = moments.map(({ weight, bias }, l) => {
    return [`moment ${m} of layer ${l + 1}`, [...weight[m]!, ...bias[m]!]] as const;
  });
  return Object.fromEntries(named);
}

function relativeToLargest(numbers: Numbers, tolerance: number): Numbers {
  const tolerances = Object.entries(numbers).map(([name, values]) => {
    const largest = Math.max(...Array.from(values, Math.abs));
    return [name, Array.from(values, () => tolerance * largest)] as const;
  });
  return Object.fromEntries(tolerances);
}
