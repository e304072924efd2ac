/** What every engine must do. Each engine's own test file runs it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createOptimizerState } from "../../shared/numerics/optimizers.ts";
import type { Engine, LoadedNetwork } from "../engines/engine.ts";
import {
  assertClose,
  inOrder,
  ruleFor,
  somePoints,
  tanhNetwork,
  trainingSet,
  weightsOf,
} from "./engine-fixtures.ts";
import { exponentsContract } from "./exponents-contract.ts";
import { exponentsDegenerateContract } from "./exponents-degenerate-contract.ts";
import { exponentsPointsContract } from "./exponents-points-contract.ts";
import { extremesContract } from "./extremes-contract.ts";
import { fieldsContract } from "./fields-contract.ts";
import { fieldsDegenerateContract } from "./fields-degenerate-contract.ts";
import { fieldsTilesContract } from "./fields-tiles-contract.ts";
import { gradientsContract } from "./gradients-contract.ts";
import { outputsContract } from "./outputs-contract.ts";
import { scheduleContract } from "./schedule-contract.ts";
import type { Tolerances } from "./tolerances.ts";
import { trainingContract } from "./training-contract.ts";
import { trainingPassesContract } from "./training-passes-contract.ts";
import { trainingSamplesContract } from "./training-samples-contract.ts";
import { wholeTrainingContract } from "./whole-training-contract.ts";

/** Registers the contract's tests for one engine. */
export function engineContract(engine: Engine, tolerances: Tolerances): void {
  const it = (sentence: string, body: () => void) => test(`${engine.id}: ${sentence}`, body);

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

  it("weights of another shape throw RangeError", () => {
    const weights = weightsOf(tanhNetwork);
    const short = weights.map(({ weight, bias }) => ({ weight: weight.slice(1), bias }));
    const unbiased = weights.map(({ weight, bias }) => ({ weight, bias: bias.slice(1) }));
    for (const wrong of [[], weights.slice(1), short, unbiased]) {
      assert.throws(() => engine.load(tanhNetwork, wrong), RangeError);
    }
  });

  it("a call that is asked to stop ends with StoppedError or with what it would have given", () => {
    for (const [name, call] of Object.entries(calls)) {
      const stop = new Int32Array(new SharedArrayBuffer(4));
      const loaded = engine.load(tanhNetwork, weightsOf(tanhNetwork), stop);
      const expected = name === "train" ? null : call(loaded);
      stop[0] = 1;
      try {
        const stopped = call(loaded);
        if (expected !== null) assert.deepEqual(stopped, expected, name);
      } catch (error) {
        assert.equal((error as Error).name, "StoppedError", name);
      }
      stop[0] = 0;
      if (expected !== null) assert.deepEqual(call(loaded), expected, name);
      loaded.dispose();
    }
  });

  outputsContract(engine, tolerances);
  gradientsContract(engine, tolerances);
  trainingContract(engine, tolerances);
  scheduleContract(engine, tolerances);
  trainingPassesContract(engine);
  trainingSamplesContract(engine);
  wholeTrainingContract(engine);
  fieldsContract(engine, tolerances);
  fieldsTilesContract(engine);
  fieldsDegenerateContract(engine, tolerances);
  exponentsContract(engine, tolerances);
  exponentsDegenerateContract(engine, tolerances);
  exponentsPointsContract(engine);
  extremesContract(engine, tolerances);
}

const axis = Float64Array.from({ length: 20 }, (_, i) => (i - 10) / 8);

const calls: Readonly<Record<string, (loaded: LoadedNetwork) => unknown>> = {
  outputs: (loaded) => loaded.outputs(somePoints(2 * 200)),
  activations: (loaded) => loaded.activations(somePoints(2 * 200), 1),
  field: (loaded) => loaded.field({ x: axis, y: axis, layers: "all" }),
  exponents: (loaded) => loaded.exponents(somePoints(2 * 200)),
  train: (loaded) => {
    const rule = ruleFor(tanhNetwork);
    const state = createOptimizerState(rule.optimizer, tanhNetwork);
    return loaded.train(trainingSet(tanhNetwork, 200), inOrder(200), rule, state);
  },
};
