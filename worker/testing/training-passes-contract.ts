/** Every engine must give the same bytes when a training is repeated, resumed, or cut into passes at other places. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../engines/engine.ts";
import { assertClose, ruleFor, tanhNetwork } from "./engine-fixtures.ts";
import { optimizers, order, SAMPLES, trained } from "./training-fixtures.ts";

/** Registers the tests of the passes of an engine's training. */
export function trainingPassesContract(engine: Engine): void {
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
  }

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
}
