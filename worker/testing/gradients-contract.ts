/** What every engine must do in one step: the gradient, against the reference. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Activation, NetworkShape, Weights } from "../../shared/numerics/network.ts";
import { createOptimizerState } from "../../shared/numerics/optimizers.ts";
import type { Loss, Optimizer, TrainingRule, TrainingSet } from "../../shared/numerics/training.ts";
import type { Engine } from "../engines/engine.ts";
import { referenceEngine } from "../engines/reference.ts";
import type { Tolerances } from "./engine-contract.ts";
import { somePoints, tanhNetwork, weightsOf } from "./engine-fixtures.ts";

/** Registers the tests of an engine's gradients. */
export function gradientsContract(engine: Engine, tolerances: Tolerances): void {
  const it = (sentence: string, body: () => void) => test(`${engine.id}: ${sentence}`, body);

  for (const hidden of [[1], [1, 1, 1], [50, 33, 1, 17], [64, 24]]) {
    for (const [loss, outputActivation, outputs] of losses) {
      it(`gradients of ${loss} through [${hidden}] to ${outputs} agree with the reference`, () => {
        for (const activation of ["tanh", "sigmoid", "relu", "linear"] as const) {
          const network = { ...tanhNetwork, hidden, activation, outputActivation, outputs };
          for (const samples of [1, 7, 20, 300]) {
            assertSameGradients(engine, { network, loss, samples }, tolerances.gradient);
          }
        }
      });
    }
  }

  it("gradients behind layers saturated at |b| = 40 keep their relative accuracy", () => {
    const network = { ...tanhNetwork, hidden: [6, 5, 4] };
    const weights = weightsOf(network);
    weights[1]!.bias.forEach((_, i, bias) => {
      bias[i] = i % 2 === 0 ? 40 : -40;
    });
    const given = { network, loss: "squared-error", samples: 9, weights } as const;
    // The local fields, of order 40, are rounded to float32: 40·6e-8 in the exponent.
    assertSameGradients(engine, given, tolerances.gradient + 80 * 2 ** -24);
  });

  it("an order of no samples changes nothing and is no step", () => {
    const { network, set, rule } = prepared({
      network: tanhNetwork,
      loss: "squared-error",
      samples: 3,
    });
    const loaded = engine.load(network, weightsOf(network));
    const before = loaded.weights();
    const state = createOptimizerState(rule.optimizer, network);
    const stats = loaded.train(set, new Uint32Array(0), rule, state);
    assert.deepEqual(stats, { lossSum: 0, correct: 0, samples: 0 });
    assert.equal(state.step, 0);
    assert.deepEqual(loaded.weights(), before);
    loaded.dispose();
  });

  it("samples that are not in the set, and sets that are not whole, throw RangeError", () => {
    const { network, set, rule } = prepared({
      network: tanhNetwork,
      loss: "squared-error",
      samples: 3,
    });
    const short = { ...set, inputs: set.inputs.subarray(1) };
    const untargeted = { ...set, targets: set.targets.subarray(1) };
    for (const [wrong, order] of [
      [set, Uint32Array.of(0, 3)],
      [short, Uint32Array.of(0)],
      [untargeted, Uint32Array.of(0)],
    ] as const) {
      const loaded = engine.load(network, weightsOf(network));
      const state = createOptimizerState(rule.optimizer, network);
      assert.throws(() => loaded.train(wrong, order, rule, state), RangeError);
      loaded.dispose();
    }
  });

  it("a NaN in the samples makes the loss NaN, and the pass ends", () => {
    const { network, set, rule } = prepared({
      network: tanhNetwork,
      loss: "squared-error",
      samples: 5,
    });
    set.inputs[3] = Number.NaN;
    const loaded = engine.load(network, weightsOf(network));
    const state = createOptimizerState(rule.optimizer, network);
    assert.ok(Number.isNaN(loaded.train(set, Uint32Array.of(0, 1, 2), rule, state).lossSum));
    loaded.dispose();
  });
}

const losses: readonly [Loss, Activation, number][] = [
  ["squared-error", "tanh", 1],
  ["squared-error", "linear", 3],
  ["softmax-cross-entropy", "linear", 10],
  ["binary-cross-entropy", "sigmoid", 1],
];

interface GradientCase {
  readonly network: NetworkShape;
  readonly loss: Loss;
  readonly samples: number;
  readonly weights?: Weights;
}

/** After one step the velocity is the gradient, whatever the precision of the weights. */
const optimizer: Optimizer = { name: "sgd", learningRate: 2 ** -10, momentum: 0.5 };

function prepared({ network, loss, samples }: GradientCase) {
  const { inputs, outputs } = network;
  const targets = Float32Array.from({ length: samples * outputs }, (_, at) => {
    const sample = Math.floor(at / outputs);
    return outputs === 1 ? sample % 2 : Number(at % outputs === sample % outputs);
  });
  const set: TrainingSet = { samples, inputs: somePoints(samples * inputs), targets };
  const frozen = [...network.hidden, outputs].map(() => false);
  const rule: TrainingRule = { loss, optimizer, batch: samples, weightDecay: 0, frozen };
  return { network, set, rule };
}

function gradientsOf(engine: Engine, given: GradientCase) {
  const { network, set, rule } = prepared(given);
  const loaded = engine.load(network, given.weights ?? weightsOf(network));
  const state = createOptimizerState(optimizer, network);
  const order = Uint32Array.from({ length: given.samples }, (_, i) => i);
  const { lossSum } = loaded.train(set, order, rule, state);
  loaded.dispose();
  return { lossSum, layers: state.moments };
}

/** Each component relative to the largest of its layer. */
function assertSameGradients(engine: Engine, given: GradientCase, tolerance: number): void {
  const ours = gradientsOf(engine, given);
  const theirs = gradientsOf(referenceEngine, given);
  const where = `${given.network.activation}, ${given.samples} samples`;
  const difference = Math.abs(ours.lossSum - theirs.lossSum);
  // An output of order one near its target: its rounding counts, not that of the small loss.
  const size = Math.max(theirs.lossSum, given.samples);
  assert.ok(difference <= tolerance * size, `${where}: loss ${ours.lossSum}`);
  theirs.layers.forEach(({ weight, bias }, l) => {
    const largest = Math.max(...[...weight[0]!, ...bias[0]!].map(Math.abs));
    for (const [name, expected] of Object.entries({ weight: weight[0]!, bias: bias[0]! })) {
      const got = ours.layers[l]![name as "weight" | "bias"][0]!;
      expected.forEach((value: number, i: number) => {
        assert.ok(
          Math.abs(got[i]! - value) <= tolerance * largest,
          `${where}: layer ${l + 1} ${name}[${i}]: expected ${value} ± ${tolerance * largest}, got ${got[i]}`,
        );
      });
    }
  });
}
