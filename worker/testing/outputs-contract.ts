/** What every engine must return as the activations and outputs for sets of inputs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../engines/engine.ts";
import { referenceEngine } from "../engines/reference.ts";
import {
  activations,
  assertClose,
  inEngine,
  somePoints,
  tanhNetwork,
  weightsOf,
} from "./engine-fixtures.ts";
import type { Tolerances } from "./tolerances.ts";

/** Registers the tests of an engine's outputs and activations. */
export function outputsContract(engine: Engine, tolerances: Tolerances): void {
  const it = (sentence: string, body: () => void) => test(`${engine.id}: ${sentence}`, body);
  const network = { ...tanhNetwork, inputs: 3, hidden: [17, 5, 6], outputs: 4 };
  const weights = weightsOf(network);
  const given = { network, weights };
  const layers = [1, 2, 3, 4];

  it("activations of every layer agree with the reference, and the last are the outputs", () => {
    const inputs = somePoints(3 * 300);
    for (const activation of activations) {
      for (const outputActivation of activations) {
        const other = { network: { ...network, activation, outputActivation }, weights };
        const [ours, theirs] = [engine, referenceEngine].map((one) => {
          return inEngine(one, other, (loaded) => ({
            x: layers.map((layer) => loaded.activations(inputs, layer)),
            outputs: loaded.outputs(inputs),
          }));
        });
        theirs!.x.forEach((expected, index) => {
          const scale = Math.max(1, ...expected.map(Math.abs));
          assertClose(ours!.x[index]!, expected, tolerances.output * scale);
        });
        assert.deepEqual(ours!.outputs, ours!.x.at(-1));
      }
    }
  });

  it("a layer's activations are the inputs of the layers above it", () => {
    const inputs = somePoints(3 * 20);
    const outputs = inEngine(engine, given, (loaded) => loaded.outputs(inputs));
    for (const layer of [1, 2]) {
      const x = inEngine(engine, given, (loaded) => loaded.activations(inputs, layer));
      const hidden = network.hidden.slice(layer);
      const above = { ...network, inputs: network.hidden[layer - 1]!, hidden };
      const rest = { network: above, weights: weights.slice(layer) };
      const again = inEngine(engine, rest, (loaded) => loaded.outputs(Float32Array.from(x)));
      // A float64 engine's activations are rounded on the way.
      assertClose(again, outputs, tolerances.output + 2 ** -22);
    }
  });

  it("a sample's outputs are the same bytes alone and in a set of any size", () => {
    const inputs = somePoints(3 * 300);
    inEngine(engine, given, (loaded) => {
      const whole = loaded.outputs(inputs);
      for (const count of [1, 2, 15, 16, 17, 129]) {
        const part = loaded.outputs(inputs.subarray(3 * 150, 3 * (150 + count)));
        assert.deepEqual(part, whole.slice(4 * 150, 4 * (150 + count)), `${count} samples`);
      }
    });
  });

  it("NaN in one sample's inputs makes its outputs NaN, and no other's", () => {
    for (const activation of activations) {
      const other = { network: { ...network, activation }, weights };
      inEngine(engine, other, (loaded) => {
        const inputs = somePoints(3 * 20);
        const expected = loaded.outputs(inputs).fill(Number.NaN, 4 * 7, 4 * 8);
        inputs[3 * 7 + 1] = Number.NaN;
        assert.deepEqual(Array.from(loaded.outputs(inputs)), Array.from(expected));
      });
    }
  });

  it("an infinite input has the limits of g in the first layer, and leaves the other samples alone", () => {
    const limits = {
      tanh: [-1, 1],
      sigmoid: [0, 1],
      relu: [0, Infinity],
      linear: [-Infinity, Infinity],
    };
    for (const activation of activations) {
      const other = { network: { ...network, activation }, weights };
      inEngine(engine, other, (loaded) => {
        const inputs = somePoints(3 * 4);
        const before = loaded.outputs(inputs);
        inputs[3] = Number.POSITIVE_INFINITY;
        const first = loaded.activations(inputs, 1).slice(17, 34);
        const expected = first.map(
          (_, i) => limits[activation][weights[0]!.weight[3 * i]! > 0 ? 1 : 0]!,
        );
        assertClose(first, expected, tolerances.output);
        const after = loaded.outputs(inputs);
        assert.deepEqual(after.slice(0, 4), before.slice(0, 4));
        assert.deepEqual(after.slice(8), before.slice(8));
      });
    }
  });

  it("weights of zero give g of the biases", () => {
    const zeroed = weights.map(({ weight, bias }) => ({ weight: weight.map(() => 0), bias }));
    const outputs = inEngine(engine, { network, weights: zeroed }, (loaded) => {
      return loaded.outputs(somePoints(3));
    });
    assertClose(outputs, weights[3]!.bias.map(Math.tanh), tolerances.output);
  });

  it("layers that there are not, and inputs that are not whole, throw RangeError", () => {
    inEngine(engine, given, (loaded) => {
      for (const layer of [0, 5, -1, 1.5, Number.NaN]) {
        assert.throws(() => loaded.activations(somePoints(3), layer), RangeError);
      }
      assert.throws(() => loaded.activations(somePoints(4), 1), RangeError);
      assert.throws(() => loaded.outputs(somePoints(4)), RangeError);
    });
  });
}
