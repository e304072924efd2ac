/** How every engine must lay out a field, and that a part of a field has the same bytes as in the whole. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../engines/engine.ts";
import { fieldIn, given, tile } from "./field-fixtures.ts";

/** Registers the tests of the layout of an engine's fields. */
export function fieldsTilesContract(engine: Engine): void {
  const it = (sentence: string, body: () => void) => test(`${engine.id}: ${sentence}`, body);

  it("a field has one value a point and layer, row by row", () => {
    const field = fieldIn(engine, given, { ...tile, layers: "all" });
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
    const whole = fieldIn(engine, given, { ...tile, layers: "all" });
    const [columns, rows] = [tile.x.length, tile.y.length];
    const part = fieldIn(engine, given, {
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

  it("the last of a field's layers has the bytes of that layer alone", () => {
    const all = fieldIn(engine, given, { ...tile, layers: "all" });
    const last = fieldIn(engine, given, tile);
    for (const name of ["lambda1", "lambda2", "direction"] as const) {
      assert.deepEqual(all[name].slice(last[name].length), last[name], name);
    }
    assert.deepEqual(all.output, last.output);
  });
}
