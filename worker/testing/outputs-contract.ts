/** What every engine must do with the activations of whole sets of inputs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../engines/engine.ts";
import { referenceEngine } from "../engines/reference.ts";
import type { Tolerances } from "./engine-contract.ts";
import { assertClose, somePoints, tanhNetwork, weightsOf } from "./engine-fixtures.ts";

/** Registers the tests of an engine's outputs and activations. */
export function outputsContract(engine: Engine, tolerances: Tolerances): void {
  const it = (sentence: string, body: () => void) => test(`${engine.id}: ${sentence}`, body);
  const network = { ...tanhNetwork, inputs: 3, hidden: [17, 5], outputs: 4 };

  it("activations of every layer agree with the reference, and the last are the outputs", () => {
    for (const activation of ["tanh", "sigmoid", "relu", "linear"] as const) {
      const [ours, theirs] = [engine, referenceEngine].map((one) => {
        return one.load({ ...network, activation }, weightsOf(network));
      });
      const inputs = somePoints(3 * 20);
      for (const layer of [1, 2, 3]) {
        const x = ours!.activations(inputs, layer);
        const expected = theirs!.activations(inputs, layer);
        const scale = Math.max(1, ...expected.map(Math.abs));
        assertClose(x, expected, tolerances.output * scale);
      }
      assert.deepEqual(ours!.outputs(inputs), ours!.activations(inputs, 3));
      ours!.dispose();
      theirs!.dispose();
    }
  });

  it("a sample's outputs are the same bytes alone and in a set of any size", () => {
    const loaded = engine.load(network, weightsOf(network));
    const inputs = somePoints(3 * 300);
    const whole = loaded.outputs(inputs);
    for (const count of [1, 2, 15, 16, 17, 129]) {
      const part = loaded.outputs(inputs.subarray(3 * 150, 3 * (150 + count)));
      assert.deepEqual(part, whole.slice(4 * 150, 4 * (150 + count)), `${count} samples`);
    }
    loaded.dispose();
  });

  it("NaN in one sample's inputs makes its outputs NaN, and no other's", () => {
    const loaded = engine.load(network, weightsOf(network));
    const inputs = somePoints(3 * 20);
    const before = loaded.outputs(inputs);
    inputs[3 * 7 + 1] = Number.NaN;
    const after = loaded.outputs(inputs);
    assert.ok(after.slice(4 * 7, 4 * 8).every(Number.isNaN));
    assert.deepEqual(after.slice(0, 4 * 7), before.slice(0, 4 * 7));
    assert.deepEqual(after.slice(4 * 8), before.slice(4 * 8));
    loaded.dispose();
  });

  it("an infinite input saturates tanh and leaves the other samples alone", () => {
    const loaded = engine.load(network, weightsOf(network));
    const inputs = somePoints(3 * 4);
    const before = loaded.outputs(inputs);
    inputs[3] = Number.POSITIVE_INFINITY;
    assert.ok(
      loaded
        .activations(inputs, 1)
        .slice(17, 34)
        .every((x) => Math.abs(x) === 1),
    );
    assert.deepEqual(loaded.outputs(inputs).slice(8), before.slice(8));
    loaded.dispose();
  });

  it("weights of zero give g of the biases", () => {
    const weights = weightsOf(network).map(({ weight, bias }) => ({
      weight: weight.fill(0),
      bias,
    }));
    const loaded = engine.load(network, weights);
    const expected = weights[2]!.bias.map(Math.tanh);
    assertClose(loaded.outputs(somePoints(3)), expected, tolerances.output);
    loaded.dispose();
  });

  it("layers that there are not, and inputs that are not whole, throw RangeError", () => {
    const loaded = engine.load(network, weightsOf(network));
    for (const layer of [0, 4, -1, 1.5]) {
      assert.throws(() => loaded.activations(somePoints(3), layer), RangeError);
    }
    assert.throws(() => loaded.activations(somePoints(4), 1), RangeError);
    assert.throws(() => loaded.outputs(somePoints(4)), RangeError);
    assert.throws(() => loaded.exponents(somePoints(4)), RangeError);
    loaded.dispose();
  });
}
