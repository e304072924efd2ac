import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { activations, forwardLayer, layerBuffers } from "../numerics/forward.ts";
import { gridCoordinates, sliceCoordinates } from "../numerics/grid.ts";
import { addProduct, rowMajor, transposed } from "../numerics/matrix-product.ts";
import { float64Weights, layerWidths, parameterCount } from "../numerics/network.ts";
import { randomStream } from "../numerics/random-stream.ts";
import { repositoryFile } from "../testing/repository.ts";

const reference = JSON.parse(
  readFileSync(repositoryFile("shared/test/reference/network.json"), "utf8"),
);

for (const { network, weights, inputs, outputs: expected } of reference.cases) {
  test(`forward: outputs of the ${network.activation} network agree with NumPy to 1e-14`, () => {
    const computed = activations(
      network,
      float64Weights(network, weights),
      Float32Array.from(inputs),
    );
    for (const [i, value] of computed.entries()) assert.ok(Math.abs(value - expected[i]) < 1e-14);
  });
}

test("forward: a sample's output does not depend on those beside it, to the last bit", () => {
  const { network, weights } = reference.cases[0];
  const ready = float64Weights(network, weights);
  const { normal } = randomStream([1, 1], "data", 0);
  const inputs = Float32Array.from({ length: 2 * 300 }, normal);
  const all = activations(network, ready, inputs);
  for (const s of [0, 127, 128, 299]) {
    assert.equal(activations(network, ready, inputs.subarray(2 * s, 2 * s + 2))[0], all[s]);
  }
  assert.equal(activations(network, ready, new Float32Array(0)).length, 0);
});

test("forward: the bias is −θ, and relu cuts it off", () => {
  const network = {
    inputs: 1,
    hidden: [2],
    outputs: 1,
    activation: "relu",
    outputActivation: "linear",
  } as const;
  const [activated] = layerBuffers(network, 2);
  const layer = { weight: Float64Array.of(2, -3), bias: Float64Array.of(1, 1) };
  const pass = {
    inputs: Float64Array.of(1, -1),
    samples: 2,
    g: "relu",
    activated: activated!,
  } as const;
  forwardLayer(layer, pass);
  assert.deepEqual(Array.from(activated!.b), [3, -2, -1, 4]);
  assert.deepEqual(Array.from(activated!.x), [3, 0, 0, 4]);
  assert.deepEqual(Array.from(activated!.slope), [1, 0, 0, 1]);
});

test("matrix product: equals plain loops to the last bit, for every remainder of the block size", () => {
  const { normal } = randomStream([1, 2], "data", 0);
  for (const columns of [1, 3, 4, 5, 8, 11]) {
    const [rows, terms] = [3, 6];
    const a = Float64Array.from({ length: rows * terms }, normal);
    const b = Float64Array.from({ length: terms * columns }, normal);
    const c = Float64Array.from({ length: rows * columns }, normal);
    const expected = c.slice();
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        for (let k = 0; k < terms; k++) {
          expected[i * columns + j]! += a[i * terms + k]! * b[k * columns + j]!;
        }
      }
    }
    const turned = c.slice();
    addProduct(rowMajor(c, columns), rowMajor(a, terms), rowMajor(b, columns), {
      rows,
      terms,
      columns,
    });
    assert.deepEqual(c, expected);
    // (C + A·B)ᵀ = Cᵀ + Bᵀ·Aᵀ, with the same order of terms.
    addProduct(
      transposed(rowMajor(turned, columns)),
      transposed(rowMajor(b, columns)),
      transposed(rowMajor(a, terms)),
      { rows: columns, terms, columns: rows },
    );
    assert.deepEqual(turned, expected);
  }
});

test("network: widths and parameters are counted from the inputs to the outputs", () => {
  const { network } = reference.cases[1];
  assert.deepEqual(layerWidths(network), [2, 4, 3, 5, 3]);
  assert.equal(parameterCount(network), 4 * 3 + 3 * 5 + 5 * 4 + 3 * 6);
});

test("grid: coordinates are centres of equal intervals, symmetric to the last bit", () => {
  assert.deepEqual(Array.from(gridCoordinates([0, 1], 4)), [0.125, 0.375, 0.625, 0.875]);
  assert.deepEqual(Array.from(gridCoordinates([-2, 4], 1)), [1]);
  const a = Math.sqrt(3);
  const x = gridCoordinates([-a, a], 101);
  for (let i = 0; i < 101; i++) assert.equal(x[100 - i], i === 50 ? 0 : -x[i]!);
});

test("grid: a slice has the coordinates of its part of the grid", () => {
  const grid = { region: { x: [0, 1], y: [10, 20] }, points: 10 } as const;
  const { x, y } = sliceCoordinates(grid, { column: 2, row: 7, columns: 3, rows: 2 });
  assert.deepEqual(x, gridCoordinates([0, 1], 10).slice(2, 5));
  assert.deepEqual(y, gridCoordinates([10, 20], 10).slice(7, 9));
});
