/** What every engine must return in a field where exponents do not exist, and when it must refuse to compute one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../engines/engine.ts";
import { activations, assertClose, tanhNetwork, weightsOf } from "./engine-fixtures.ts";
import { fieldIn, given, tile } from "./field-fixtures.ts";
import type { Tolerances } from "./tolerances.ts";

/** Registers the tests of an engine's fields of degenerate networks and inputs. */
export function fieldsDegenerateContract(engine: Engine, tolerances: Tolerances): void {
  const it = (sentence: string, body: () => void) => test(`${engine.id}: ${sentence}`, body);

  it("a bottleneck of one neuron leaves one exponent, in its layer and behind it", () => {
    const network = { ...tanhNetwork, hidden: [9, 1, 9] };
    const field = fieldIn(
      engine,
      { network, weights: weightsOf(network) },
      { ...tile, layers: "all" },
    );
    const size = tile.x.length * tile.y.length;
    assert.ok(field.lambda1.every(Number.isFinite));
    assert.ok(field.lambda2.slice(0, size).every(Number.isFinite));
    assert.ok(field.lambda2.slice(size).every((lambda2) => lambda2 === Number.NEGATIVE_INFINITY));
  });

  it("a Jacobian of zero has NaN for its exponents and direction, but an output", () => {
    const weights = given.weights.map(({ weight, bias }) => ({
      weight: weight.map(() => 0),
      bias,
    }));
    const field = fieldIn(engine, { network: tanhNetwork, weights }, { ...tile, layers: "all" });
    for (const name of ["lambda1", "lambda2", "direction"] as const) {
      assert.ok(field[name].every(Number.isNaN), name);
    }
    const expected = field.output.map(() => Math.tanh(weights[2]!.bias[0]!));
    assertClose(field.output, expected, tolerances.output);
  });

  it("inputs that are not finite have NaN, and their neighbours keep their bytes", () => {
    for (const activation of activations) {
      const network = { ...tanhNetwork, activation };
      const weights = weightsOf(network);
      const before = fieldIn(engine, { network, weights }, { ...tile, layers: "all" });
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const x = tile.x.with(6, bad);
        const after = fieldIn(engine, { network, weights }, { x, y: tile.y, layers: "all" });
        for (const name of ["lambda1", "lambda2", "direction"] as const) {
          const expected = Array.from(before[name], (value, i) =>
            i % 11 === 6 ? Number.NaN : value,
          );
          assert.deepEqual(Array.from(after[name]), expected, name);
        }
        after.output.forEach((output, i) => {
          if (i % 11 !== 6) assert.equal(output, before.output[i]);
          // Layers that an infinite input saturates may have a finite output.
          else assert.ok(Number.isNaN(output) || (Number.isFinite(output) && !Number.isNaN(bad)));
        });
      }
    }
  });

  it("a field of a network without two inputs throws RangeError", () => {
    const network = { ...tanhNetwork, inputs: 3 };
    assert.throws(
      () => fieldIn(engine, { network, weights: weightsOf(network) }, tile),
      RangeError,
    );
  });
}
