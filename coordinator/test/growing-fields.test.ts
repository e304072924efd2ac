import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { GrowingFields } from "../store/storing/growing-fields.ts";
import { addToField, takeField } from "../store/storing/growing-fields.ts";
import type { TileToStore } from "../store/storing/requests.ts";

const DEPTH = 2;

/** The request to store a tile of a field whose values count its points: λ₁ of the first layer is their negative. */
function requestFor(
  { points, side, folder = "field" }: { points: number; side: number; folder?: string },
  index: number,
): TileToStore {
  const across = Math.ceil(points / side);
  const [row, column] = [Math.floor(index / across) * side, (index % across) * side];
  const [rows, columns] = [Math.min(side, points - row), Math.min(side, points - column)];
  const numbers = Float32Array.from({ length: rows * columns }, (_, i) => {
    return (row + Math.floor(i / columns)) * points + column + (i % columns);
  });
  const lambda1 = Float32Array.of(...numbers.map((value) => -value), ...numbers);
  const region = { x: [-1, 1], y: [-1, 1] } as const;
  const grid = { region, points, layers: "all" } as const;
  const description = { cell: "c", snapshot: "end", weights: "w", grid, depth: DEPTH, tile: side };
  return {
    kind: "tile",
    field: { folder, description },
    tile: { row, column, rows, columns },
    result: { lambda1, output: numbers.map((value) => 2 * value), direction: numbers },
    closes: false,
  } as unknown as TileToStore;
}

test("growing fields: tiles in any order, some twice, make the whole field; without one of them there is none", () => {
  const shapes = fc.record({ points: fc.integer({ min: 2, max: 12 }), side: fc.nat({ max: 11 }) });
  const cases = shapes.chain(({ points, side: least }) => {
    const side = 1 + (least % (points - 1)); // more than one tile
    const count = Math.ceil(points / side) ** 2;
    const all = Array.from({ length: count }, (_, i) => i);
    const order = fc.tuple(
      fc.array(fc.nat({ max: count - 1 })),
      fc.shuffledSubarray(all, { minLength: count }),
    );
    return order.map(([some, every]) => ({ points, side, order: [...some, ...every] }));
  });
  fc.assert(
    fc.property(cases, ({ points, side, order }) => {
      const fields: GrowingFields = new Map();
      const requests = order.map((index) => requestFor({ points, side }, index));
      for (const request of requests) addToField(fields, request);
      const whole = takeField(fields, requests[0]!)!;
      const expected = Array.from({ length: points ** 2 }, (_, i) => i);
      assert.deepEqual([...whole.lambda1], expected);
      assert.deepEqual(
        [...whole.output],
        expected.map((value) => 2 * value),
      );
      assert.equal(takeField(fields, requests[0]!), null, "it is forgotten");
      const missing = order[0]!;
      for (const [i, request] of requests.entries()) {
        if (order[i] !== missing) addToField(fields, request);
      }
      assert.equal(takeField(fields, requests[0]!), null);
    }),
    { seed: 4 },
  );
});

test("growing fields: of more than fit, the oldest are forgotten", () => {
  const fields: GrowingFields = new Map();
  const shape = { points: 1024, side: 1000 }; // 8 MiB each
  for (let i = 0; i < 9; i++) addToField(fields, requestFor({ ...shape, folder: `${i}` }, 3));
  assert.deepEqual([...fields.keys()], ["1", "2", "3", "4", "5", "6", "7", "8"]);
  addToField(fields, requestFor({ points: 4096, side: 4090, folder: "too large" }, 3));
  assert.equal(fields.size, 8);
});
