/** What every engine must do; run it from a test file of the engine's own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../engines/engine.ts";
import { assertClose, somePoints, tanhNetwork, weightsOf } from "./engine-fixtures.ts";
import { exponentsContract } from "./exponents-contract.ts";
import { extremesContract } from "./extremes-contract.ts";
import { gradientsContract } from "./gradients-contract.ts";
import { outputsContract } from "./outputs-contract.ts";
import { trainingContract } from "./training-contract.ts";
import { wholeTrainingContract } from "./whole-training-contract.ts";

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

  outputsContract(engine, tolerances);
  gradientsContract(engine, tolerances);
  trainingContract(engine, tolerances);
  wholeTrainingContract(engine);
  exponentsContract(engine, tolerances);
  extremesContract(engine, tolerances);
}
