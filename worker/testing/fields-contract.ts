/** What every engine must do in fields. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine, GridTile } from "../engines/engine.ts";
import { assertAgrees } from "./agreement.ts";
import {
  activations,
  assertClose,
  diagonal,
  type Given,
  head,
  inEngine,
  tanhNetwork,
  weightsOf,
} from "./engine-fixtures.ts";
import { planeNumbers, planeTolerances } from "./exponent-tolerances.ts";
import type { Tolerances } from "./tolerances.ts";

/** Registers the tests of an engine's fields. */
export function fieldsContract(engine: Engine, tolerances: Tolerances): void {
  const it = (sentence: string, body: () => void) => test(`${engine.id}: ${sentence}`, body);
  const given = { network: tanhNetwork, weights: weightsOf(tanhNetwork) };
  const fieldOf = (of: Given, at: GridTile) => inEngine(engine, of, (loaded) => loaded.field(at));

  it("a field has one value a point and layer, row by row", () => {
    const field = fieldOf(given, { ...tile, layers: "all" });
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
    const whole = fieldOf(given, { ...tile, layers: "all" });
    const [columns, rows] = [tile.x.length, tile.y.length];
    const part = fieldOf(given, { x: tile.x.slice(3, 8), y: tile.y.slice(1, 4), layers: "all" });
    for (const name of ["lambda1", "lambda2", "direction", "output"] as const) {
      const slices = name === "output" ? 1 : 2;
      const cut = Array.from({ length: slices * 15 }, (_, at) => {
        const [slice, row, column] = [Math.floor(at / 15), Math.floor((at % 15) / 5), at % 5];
        return whole[name][(slice * rows + row + 1) * columns + column + 3];
      });
      assert.deepEqual(Array.from(part[name]), cut, name);
    }
  });

  it("the last of a field's layers has the bytes of that layer alone", () => {
    const all = fieldOf(given, { ...tile, layers: "all" });
    const last = fieldOf(given, tile);
    for (const name of ["lambda1", "lambda2", "direction"] as const) {
      assert.deepEqual(all[name].slice(last[name].length), last[name], name);
    }
    assert.deepEqual(all.output, last.output);
  });

  it("exponents and outputs are those of the field", () => {
    const field = fieldOf(given, tile);
    const inputs = Float32Array.from(
      [...tile.y].flatMap((y) => [...tile.x].flatMap((x) => [x, y])),
    );
    const { lambda1, lambda2 } = inEngine(engine, given, (loaded) => loaded.exponents(inputs));
    assert.deepEqual(Float32Array.from(lambda1), field.lambda1);
    assert.deepEqual(Float32Array.from(lambda2), field.lambda2);
    const outputs = inEngine(engine, given, (loaded) => loaded.outputs(inputs));
    assertClose(outputs, field.output, tolerances.output);
  });

  for (const activation of activations) {
    it(`fields of every layer of ${activation} networks agree with the reference`, () => {
      const network = { ...tanhNetwork, activation, hidden: [9, 17, 8, 5], outputs: 2 };
      for (const l of [1, 2, 3, 4]) {
        assertAgrees(engine, {
          network,
          weights: weightsOf(network),
          compute: (loaded) => planeNumbers(loaded.field({ ...tile, layers: "all" }), l - 1),
          tolerance: (numbers) => planeTolerances(numbers, { l, tolerances }),
        });
      }
    });
  }

  it("width one stretches along its weights only", () => {
    const network = { ...tanhNetwork, hidden: [1, 1] };
    const first = { weight: Float64Array.of(3, 4), bias: Float64Array.of(0) };
    const weights = [first, diagonal([2], [0]), head(1)];
    const field = fieldOf({ network, weights }, { x: zero, y: zero, layers: "last" });
    assertClose(field.lambda1, [Math.log(10) / 2], tolerances.stretching);
    assert.deepEqual(Array.from(field.lambda2), [Number.NEGATIVE_INFINITY]);
    assertClose(field.direction, [Math.atan2(4, 3)], 4 * tolerances.stretching);
  });

  it("a bottleneck of one neuron leaves one exponent, in its layer and behind it", () => {
    const network = { ...tanhNetwork, hidden: [9, 1, 9] };
    const field = fieldOf({ network, weights: weightsOf(network) }, { ...tile, layers: "all" });
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
    const field = fieldOf({ network: tanhNetwork, weights }, { ...tile, layers: "all" });
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
      const before = fieldOf({ network, weights }, { ...tile, layers: "all" });
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const x = tile.x.with(6, bad);
        const after = fieldOf({ network, weights }, { x, y: tile.y, layers: "all" });
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
    assert.throws(() => fieldOf({ network, weights: weightsOf(network) }, tile), RangeError);
  });
}

/** Coordinates that float32 holds exactly. */
const tile: GridTile = {
  x: Float64Array.from({ length: 11 }, (_, i) => (i - 5) / 4),
  y: Float64Array.from({ length: 5 }, (_, i) => (i - 2) / 2),
  layers: "last",
};

const zero = Float64Array.of(0);
