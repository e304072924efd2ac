/** What every engine must do; run it from a test file of the engine's own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { initialWeights } from "../../shared/numerics/initialise.ts";
import type { Activation, NetworkShape, Weights } from "../../shared/numerics/network.ts";
import { createOptimizerState } from "../../shared/numerics/optimizers.ts";
import { randomStream } from "../../shared/numerics/random-stream.ts";
import type { Loss, Optimizer, TrainingRule, TrainingSet } from "../../shared/numerics/training.ts";
import type { Engine, GridTile } from "./engine.ts";
import { referenceEngine } from "./reference.ts";

/** How far an engine's arithmetic may be from exact. */
export interface Tolerances {
  /** Relative error of σ_1, and of σ_2 in units of σ_1; times √depth for random rounding. */
  readonly stretching: number;
  /** Absolute error of an output of order one. */
  readonly output: number;
  /** Error of a gradient component relative to the gradient's largest. */
  readonly gradient: number;
}

/** Registers the contract's tests for one engine. */
export function engineContract(engine: Engine, tolerances: Tolerances): void {
  const it = (sentence: string, body: () => void) => test(`${engine.id}: ${sentence}`, body);

  it("the same training gives the same bytes twice", () => {
    const runs = [0, 1].map(() => trained(engine, tanhNetwork));
    assert.deepEqual(runs[0], runs[1]);
  });

  it("weights come back as they were loaded, to the engine's precision", () => {
    const weights = weightsOf(tanhNetwork);
    const loaded = engine.load(tanhNetwork, weights);
    loaded.weights().forEach(({ weight, bias }, l) => {
      assertClose(weight, weights[l]!.weight, tolerances.output);
      assertClose(bias, weights[l]!.bias, tolerances.output);
    });
    const again = engine.load(tanhNetwork, loaded.weights());
    assert.deepEqual(again.weights(), loaded.weights());
    loaded.dispose();
    again.dispose();
  });

  it("changing the weights it was given or has handed out changes nothing", () => {
    const weights = weightsOf(tanhNetwork);
    const loaded = engine.load(tanhNetwork, weights);
    const before = loaded.outputs(somePoints(4));
    weights[0]!.weight.fill(0);
    loaded.weights()[0]!.weight.fill(0);
    assert.deepEqual(loaded.outputs(somePoints(4)), before);
    loaded.dispose();
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
        const rule = ruleFor(network, { loss, optimizer: plainSgd(2 ** -10), batch: SAMPLES });
        const before = engine.load(network, weightsOf(network)).weights();
        const after = trained(engine, network, { rule, passes: [order] }).weights;
        const gradients = before.map(({ weight }, l) =>
          Array.from(weight, (w, i) => (w - after[l]!.weight[i]!) * 2 ** 10),
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

  it("a field has one value a point and layer, row by row", () => {
    const field = fieldOf(engine, tanhNetwork, { ...tile, layers: "all" });
    const size = tile.x.length * tile.y.length;
    assert.equal(field.lambda1.length, 2 * size);
    assert.equal(field.lambda2.length, 2 * size);
    assert.equal(field.direction.length, 2 * size);
    assert.equal(field.output.length, size);
    for (const angle of field.direction) {
      assert.ok(Math.abs(angle) <= Math.fround(Math.PI / 2), `direction ${angle}`);
    }
  });

  it("a tile has the bytes of the same part of the whole field", () => {
    const whole = fieldOf(engine, tanhNetwork, { ...tile, layers: "all" });
    const [columns, rows] = [tile.x.length, tile.y.length];
    const part = fieldOf(engine, tanhNetwork, {
      x: tile.x.slice(3, 8),
      y: tile.y.slice(1, 4),
      layers: "all",
    });
    for (const name of ["lambda1", "lambda2", "direction", "output"] as const) {
      const slices = name === "output" ? 1 : 2;
      const cut = Array.from({ length: slices * 15 }, (_, at) => {
        const [slice, row, column] = [Math.floor(at / 15), Math.floor((at % 15) / 5), at % 5];
        return whole[name][(slice * rows + row + 1) * columns + column + 3];
      });
      assert.deepEqual(Array.from(part[name]), cut, name);
    }
  });

  it("a field's layers are those of the networks cut off behind them", () => {
    const all = fieldOf(engine, tanhNetwork, { ...tile, layers: "all" });
    const size = tile.x.length * tile.y.length;
    const last = fieldOf(engine, tanhNetwork, tile);
    for (const name of ["lambda1", "lambda2", "direction"] as const) {
      assert.deepEqual(all[name].slice(size), last[name], name);
    }
    const weights = weightsOf(tanhNetwork);
    const shallow = { ...tanhNetwork, hidden: tanhNetwork.hidden.slice(0, 1) };
    const head = { weight: new Float64Array(shallow.hidden[0]!), bias: new Float64Array(1) };
    const first = fieldOf(engine, shallow, tile, [weights[0]!, head]);
    assertClose(all.lambda1.slice(0, size), first.lambda1, tolerances.stretching);
  });

  it("exponents and outputs are those of the field", () => {
    const field = fieldOf(engine, tanhNetwork, tile);
    const loaded = engine.load(tanhNetwork, weightsOf(tanhNetwork));
    const inputs = Float32Array.from(
      [...tile.y].flatMap((y) => [...tile.x].flatMap((x) => [x, y])),
    );
    const { lambda1, lambda2 } = loaded.exponents(inputs);
    assert.deepEqual(Float32Array.from(lambda1), field.lambda1);
    assert.deepEqual(Float32Array.from(lambda2), field.lambda2);
    assertClose(loaded.outputs(inputs), field.output, tolerances.output);
    loaded.dispose();
  });

  for (const activation of ["tanh", "sigmoid", "relu", "linear"] as const) {
    it(`fields of ${activation} networks agree with the reference`, () => {
      const network = { ...tanhNetwork, activation, hidden: [9, 17, 8, 5], outputs: 2 };
      const ours = fieldOf(engine, network, tile);
      const theirs = fieldOf(referenceEngine, network, tile);
      const depth = network.hidden.length;
      const tolerance = tolerances.stretching * Math.sqrt(depth);
      theirs.lambda1.forEach((lambda1, i) => {
        assertClose([ours.lambda1[i]!], [lambda1], tolerance / depth);
        if (Number.isNaN(lambda1)) return;
        const ratio = Math.exp(depth * (lambda1 - theirs.lambda2[i]!));
        assertClose([ours.lambda2[i]!], [theirs.lambda2[i]!], (tolerance * ratio) / depth);
        const turn = Math.sin(ours.direction[i]! - theirs.direction[i]!);
        assertClose([turn], [0], (4 * tolerance * ratio) / Math.abs(ratio - 1));
      });
      assertClose(ours.output, theirs.output, tolerances.output);
    });
  }

  it("saturated tanh layers keep their relative accuracy up to |b| = 40", () => {
    const network = { ...tanhNetwork, hidden: [2, 2] };
    const [first, second] = [diagonal([1, 1], [40, -40]), diagonal([1, 1], [39, -39])];
    const { lambda1, lambda2 } = exponentsOf(engine, network, [first, second, head(2)], [0, 0]);
    const expected = Math.log(4) - 80;
    assertClose([lambda1, lambda2], [expected, expected], 80 * tolerances.stretching);
  });

  for (const [depth, gain, activation] of [
    [100, 5, "tanh"],
    [100, Math.exp(-2), "tanh"],
    [400, Math.exp(2), "linear"],
    [400, Math.exp(-2), "linear"],
  ] as const) {
    it(`${depth} ${activation} layers of gain ${gain.toFixed(3)} neither overflow nor underflow`, () => {
      const hidden = new Array<number>(depth).fill(2);
      const layers = hidden.map(() => diagonal([gain, gain / 1.01], [0, 0]));
      const network = { ...tanhNetwork, hidden, activation };
      const { lambda1, lambda2 } = exponentsOf(engine, network, [...layers, head(2)], [0, 0]);
      assertClose([lambda1], [Math.log(gain)], tolerances.stretching);
      const ratio = 1.01 ** depth;
      assertClose([lambda2], [Math.log(gain / 1.01)], tolerances.stretching * ratio);
    });
  }

  it("width one stretches along its weights only", () => {
    const network = { ...tanhNetwork, hidden: [1, 1] };
    const first = { weight: Float64Array.of(3, 4), bias: Float64Array.of(0) };
    const weights = [first, diagonal([2], [0]), head(1)];
    const field = fieldOf(engine, network, { x: zero, y: zero, layers: "last" }, weights);
    assertClose(field.lambda1, [Math.log(10) / 2], tolerances.stretching);
    assert.deepEqual(Array.from(field.lambda2), [Number.NEGATIVE_INFINITY]);
    assertClose(field.direction, [Math.atan2(4, 3)], 4 * tolerances.stretching);
  });

  it("a Jacobian of zero has NaN for its exponents and direction, but an output", () => {
    const weights = weightsOf(tanhNetwork).map(({ weight, bias }) => ({
      weight: weight.fill(0),
      bias,
    }));
    const field = fieldOf(engine, tanhNetwork, { ...tile, layers: "all" }, weights);
    for (const name of ["lambda1", "lambda2", "direction"] as const) {
      assert.ok(field[name].every(Number.isNaN), name);
    }
    assertClose(
      field.output,
      field.output.map(() => Math.tanh(weights[2]!.bias[0]!)),
      tolerances.output,
    );
  });

  it("inputs that are not finite have NaN, and their neighbours do not", () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (const activation of ["tanh", "linear"] as const) {
        const network = { ...tanhNetwork, activation };
        const bads = {
          x: Float64Array.of(0.5, bad),
          y: Float64Array.of(0.25),
          layers: "last",
        } as const;
        const field = fieldOf(engine, network, bads);
        for (const name of ["lambda1", "lambda2", "direction"] as const) {
          assert.deepEqual(Array.from(field[name], Number.isNaN), [false, true], name);
        }
        const { lambda1 } = exponentsOf(engine, network, weightsOf(network), [bad, 0.25]);
        assert.ok(Number.isNaN(lambda1));
      }
    }
  });

  it("exponents of many inputs are those of the singular values", () => {
    const network = { ...tanhNetwork, inputs: 7, hidden: [3, 4], activation: "linear" as const };
    const first = { weight: new Float64Array(21), bias: new Float64Array(3) };
    first.weight.set([5, 0, 0], 0);
    first.weight.set([0, 0, 2], 7);
    first.weight.set([0, 1, 0], 14);
    const second = { weight: Float64Array.of(1, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1, 0), bias: zeros(4) };
    const { lambda1, lambda2 } = exponentsOf(
      engine,
      network,
      [first, second, head(4)],
      new Array(7).fill(0.5),
    );
    assertClose([lambda1, lambda2], [Math.log(5) / 2, Math.log(3) / 2], tolerances.stretching);
  });

  it("one input has one exponent", () => {
    const network = { ...tanhNetwork, inputs: 1, hidden: [2] };
    const first = { weight: Float64Array.of(3, 4), bias: Float64Array.of(0, 0) };
    const { lambda1, lambda2 } = exponentsOf(engine, network, [first, head(2)], [0]);
    assertClose([lambda1], [Math.log(5)], tolerances.stretching);
    assert.equal(lambda2, Number.NEGATIVE_INFINITY);
  });

  it("weights of another shape throw RangeError", () => {
    const weights = weightsOf(tanhNetwork);
    const short = weights.map(({ weight, bias }) => ({ weight: weight.slice(1), bias }));
    const unbiased = weights.map(({ weight, bias }) => ({ weight, bias: bias.slice(1) }));
    for (const wrong of [[], weights.slice(1), short, unbiased]) {
      assert.throws(() => engine.load(tanhNetwork, wrong), RangeError);
    }
  });

  it("a field of a network without two inputs throws RangeError", () => {
    const network = { ...tanhNetwork, inputs: 3 };
    assert.throws(() => fieldOf(engine, network, tile), RangeError);
  });
}

const SAMPLES = 24;
const order = Uint32Array.from({ length: SAMPLES }, (_, i) => (7 * i) % SAMPLES);

const tanhNetwork: NetworkShape = {
  inputs: 2,
  hidden: [7, 6],
  outputs: 1,
  activation: "tanh",
  outputActivation: "tanh",
};

/** Coordinates that float32 holds exactly. */
const tile: GridTile = {
  x: Float64Array.from({ length: 11 }, (_, i) => (i - 5) / 4),
  y: Float64Array.from({ length: 5 }, (_, i) => (i - 2) / 2),
  layers: "last",
};
const zero = Float64Array.of(0);

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

/** Random weights with thresholds, rounded to float32 so that every engine computes with the same. */
function weightsOf(network: NetworkShape): { weight: Float64Array; bias: Float64Array }[] {
  const scale = { weightVariance: 1 / network.hidden[0]!, thresholdVariance: 0.25 };
  return initialWeights(network, scale, [17, 4]).map(({ weight, bias }) => ({
    weight: Float64Array.from(weight, Math.fround),
    bias: Float64Array.from(bias, Math.fround),
  }));
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

function somePoints(count: number): Float32Array {
  const { normal } = randomStream([2, 9], "data", 0);
  return Float32Array.from({ length: count }, normal);
}

function fieldOf(
  engine: Engine,
  network: NetworkShape,
  at: GridTile,
  weights: Weights = weightsOf(network),
) {
  const loaded = engine.load(network, weights);
  try {
    return loaded.field(at);
  } finally {
    loaded.dispose();
  }
}

function exponentsOf(
  engine: Engine,
  network: NetworkShape,
  weights: Weights,
  input: readonly number[],
) {
  const loaded = engine.load(network, weights);
  const { lambda1, lambda2 } = loaded.exponents(Float32Array.from(input));
  loaded.dispose();
  return { lambda1: lambda1[0]!, lambda2: lambda2[0]! };
}

function diagonal(elements: readonly number[], bias: readonly number[]) {
  const n = elements.length;
  const weight = new Float64Array(n * n);
  for (const [i, element] of elements.entries()) weight[i * (n + 1)] = element;
  return { weight, bias: Float64Array.from(bias) };
}

/** An output layer of one neuron. */
function head(inputs: number) {
  return { weight: new Float64Array(inputs).fill(0.5), bias: Float64Array.of(0) };
}

function zeros(n: number): Float64Array {
  return new Float64Array(n);
}

function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    assert.ok(
      difference <= tolerance || Object.is(actual[i], expected[i]),
      `[${i}]: expected ${expected[i]} ± ${tolerance}, got ${actual[i]}`,
    );
  }
}
