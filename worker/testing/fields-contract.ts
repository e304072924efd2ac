/** The fields that every engine must find: the reference's, those of single points, and one in closed form. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../engines/engine.ts";
import { assertAgrees } from "./agreement.ts";
import {
  activations,
  assertClose,
  diagonal,
  head,
  inEngine,
  tanhNetwork,
  weightsOf,
} from "./engine-fixtures.ts";
import { planeNumbers, planeTolerances } from "./exponent-tolerances.ts";
import { fieldIn, given, tile } from "./field-fixtures.ts";
import type { Tolerances } from "./tolerances.ts";

/** Registers the tests of an engine's fields. */
export function fieldsContract(engine: Engine, tolerances: Tolerances): void {
  const it = (sentence: string, body: () => void) => test(`${engine.id}: ${sentence}`, body);

  it("exponents and outputs are those of the field", () => {
    const field = fieldIn(engine, given, tile);
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
    const field = fieldIn(engine, { network, weights }, { x: zero, y: zero, layers: "last" });
    assertClose(field.lambda1, [Math.log(10) / 2], tolerances.stretching);
    assert.deepEqual(Array.from(field.lambda2), [Number.NEGATIVE_INFINITY]);
    assertClose(field.direction, [Math.atan2(4, 3)], 4 * tolerances.stretching);
  });
}

const zero = Float64Array.of(0);
