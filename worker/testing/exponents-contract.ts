/** What every engine must do in fields and exponents. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { NetworkShape, Weights } from "../../shared/numerics/network.ts";
import type { Engine, GridTile } from "../engines/engine.ts";
import { referenceEngine } from "../engines/reference.ts";
import type { Tolerances } from "./engine-contract.ts";
import { assertClose, tanhNetwork, weightsOf, zeros } from "./engine-fixtures.ts";

/** Registers the tests of an engine's fields and exponents. */
export function exponentsContract(engine: Engine, tolerances: Tolerances): void {
  const it = (sentence: string, body: () => void) => test(`${engine.id}: ${sentence}`, body);

  it("a field has one value a point and layer, row by row", () => {
    const field = fieldOf(engine, tanhNetwork, { ...tile, layers: "all" });
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
    const whole = fieldOf(engine, tanhNetwork, { ...tile, layers: "all" });
    const [columns, rows] = [tile.x.length, tile.y.length];
    const part = fieldOf(engine, tanhNetwork, {
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

  it("a field's layers are those of the networks cut off behind them", () => {
    const all = fieldOf(engine, tanhNetwork, { ...tile, layers: "all" });
    const size = tile.x.length * tile.y.length;
    const last = fieldOf(engine, tanhNetwork, tile);
    for (const name of ["lambda1", "lambda2", "direction"] as const) {
      assert.deepEqual(all[name].slice(size), last[name], name);
    }
    const weights = weightsOf(tanhNetwork);
    const shallow = { ...tanhNetwork, hidden: tanhNetwork.hidden.slice(0, 1) };
    const head = { weight: new Float64Array(shallow.hidden[0]!), bias: new Float64Array(1) };
    const first = fieldOf(engine, shallow, tile, [weights[0]!, head]);
    assertClose(all.lambda1.slice(0, size), first.lambda1, tolerances.stretching);
  });

  it("exponents and outputs are those of the field", () => {
    const field = fieldOf(engine, tanhNetwork, tile);
    const loaded = engine.load(tanhNetwork, weightsOf(tanhNetwork));
    const inputs = Float32Array.from(
      [...tile.y].flatMap((y) => [...tile.x].flatMap((x) => [x, y])),
    );
    const { lambda1, lambda2 } = loaded.exponents(inputs);
    assert.deepEqual(Float32Array.from(lambda1), field.lambda1);
    assert.deepEqual(Float32Array.from(lambda2), field.lambda2);
    assertClose(loaded.outputs(inputs), field.output, tolerances.output);
    loaded.dispose();
  });

  for (const activation of ["tanh", "sigmoid", "relu", "linear"] as const) {
    it(`fields of ${activation} networks agree with the reference`, () => {
      const network = { ...tanhNetwork, activation, hidden: [9, 17, 8, 5], outputs: 2 };
      const ours = fieldOf(engine, network, tile);
      const theirs = fieldOf(referenceEngine, network, tile);
      const depth = network.hidden.length;
      const tolerance = tolerances.stretching * Math.sqrt(depth);
      theirs.lambda1.forEach((lambda1, i) => {
        assertClose([ours.lambda1[i]!], [lambda1], tolerance / depth);
        if (Number.isNaN(lambda1)) return;
        const ratio = Math.exp(depth * (lambda1 - theirs.lambda2[i]!));
        assertClose([ours.lambda2[i]!], [theirs.lambda2[i]!], (tolerance * ratio) / depth);
        const turn = Math.sin(ours.direction[i]! - theirs.direction[i]!);
        assertClose([turn], [0], (4 * tolerance) / Math.abs(1 - 1 / ratio));
      });
      assertClose(ours.output, theirs.output, tolerances.output);
    });
  }

  it("saturated tanh layers keep their relative accuracy up to |b| = 40", () => {
    const network = { ...tanhNetwork, hidden: [2, 2] };
    const [first, second] = [diagonal([1, 1], [40, -40]), diagonal([1, 1], [39, -39])];
    const { lambda1, lambda2 } = exponentsOf(engine, network, [first, second, head(2)], [0, 0]);
    const expected = Math.log(4) - 80;
    assertClose([lambda1, lambda2], [expected, expected], 80 * tolerances.stretching);
  });

  for (const [depth, gain, activation] of [
    [100, 5, "tanh"],
    [100, Math.exp(-2), "tanh"],
    [400, Math.exp(2), "linear"],
    [400, Math.exp(-2), "linear"],
  ] as const) {
    it(`${depth} ${activation} layers of gain ${gain.toFixed(3)} neither overflow nor underflow`, () => {
      const hidden = new Array<number>(depth).fill(2);
      const layers = hidden.map(() => diagonal([gain, gain / 1.01], [0, 0]));
      const network = { ...tanhNetwork, hidden, activation };
      const { lambda1, lambda2 } = exponentsOf(engine, network, [...layers, head(2)], [0, 0]);
      assertClose([lambda1], [Math.log(gain)], tolerances.stretching);
      const ratio = 1.01 ** depth;
      assertClose([lambda2], [Math.log(gain / 1.01)], tolerances.stretching * ratio);
    });
  }

  it("width one stretches along its weights only", () => {
    const network = { ...tanhNetwork, hidden: [1, 1] };
    const first = { weight: Float64Array.of(3, 4), bias: Float64Array.of(0) };
    const weights = [first, diagonal([2], [0]), head(1)];
    const field = fieldOf(engine, network, { x: zero, y: zero, layers: "last" }, weights);
    assertClose(field.lambda1, [Math.log(10) / 2], tolerances.stretching);
    assert.deepEqual(Array.from(field.lambda2), [Number.NEGATIVE_INFINITY]);
    assertClose(field.direction, [Math.atan2(4, 3)], 4 * tolerances.stretching);
  });

  it("a Jacobian of zero has NaN for its exponents and direction, but an output", () => {
    const weights = weightsOf(tanhNetwork).map(({ weight, bias }) => ({
      weight: weight.fill(0),
      bias,
    }));
    const field = fieldOf(engine, tanhNetwork, { ...tile, layers: "all" }, weights);
    for (const name of ["lambda1", "lambda2", "direction"] as const) {
      assert.ok(field[name].every(Number.isNaN), name);
    }
    assertClose(
      field.output,
      field.output.map(() => Math.tanh(weights[2]!.bias[0]!)),
      tolerances.output,
    );
  });

  it("inputs that are not finite have NaN, and their neighbours do not", () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (const activation of ["tanh", "linear"] as const) {
        const network = { ...tanhNetwork, activation };
        const bads = {
          x: Float64Array.of(0.5, bad),
          y: Float64Array.of(0.25),
          layers: "last",
        } as const;
        const field = fieldOf(engine, network, bads);
        for (const name of ["lambda1", "lambda2", "direction"] as const) {
          assert.deepEqual(Array.from(field[name], Number.isNaN), [false, true], name);
        }
        const { lambda1 } = exponentsOf(engine, network, weightsOf(network), [bad, 0.25]);
        assert.ok(Number.isNaN(lambda1));
      }
    }
  });

  it("exponents of many inputs are those of the singular values", () => {
    const network = { ...tanhNetwork, inputs: 7, hidden: [3, 4], activation: "linear" as const };
    const first = { weight: new Float64Array(21), bias: new Float64Array(3) };
    first.weight.set([5, 0, 0], 0);
    first.weight.set([0, 0, 2], 7);
    first.weight.set([0, 1, 0], 14);
    const second = { weight: Float64Array.of(1, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1, 0), bias: zeros(4) };
    const { lambda1, lambda2 } = exponentsOf(
      engine,
      network,
      [first, second, head(4)],
      new Array(7).fill(0.5),
    );
    assertClose([lambda1, lambda2], [Math.log(5) / 2, Math.log(3) / 2], tolerances.stretching);
  });

  it("one input has one exponent", () => {
    const network = { ...tanhNetwork, inputs: 1, hidden: [2] };
    const first = { weight: Float64Array.of(3, 4), bias: Float64Array.of(0, 0) };
    const { lambda1, lambda2 } = exponentsOf(engine, network, [first, head(2)], [0]);
    assertClose([lambda1], [Math.log(5)], tolerances.stretching);
    assert.equal(lambda2, Number.NEGATIVE_INFINITY);
  });

  it("a field of a network without two inputs throws RangeError", () => {
    const network = { ...tanhNetwork, inputs: 3 };
    assert.throws(() => fieldOf(engine, network, tile), RangeError);
  });
}

/** Coordinates that float32 holds exactly. */
const tile: GridTile = {
  x: Float64Array.from({ length: 11 }, (_, i) => (i - 5) / 4),
  y: Float64Array.from({ length: 5 }, (_, i) => (i - 2) / 2),
  layers: "last",
};

const zero = Float64Array.of(0);

function fieldOf(
  engine: Engine,
  network: NetworkShape,
  at: GridTile,
  weights: Weights = weightsOf(network),
) {
  const loaded = engine.load(network, weights);
  try {
    return loaded.field(at);
  } finally {
    loaded.dispose();
  }
}

function exponentsOf(
  engine: Engine,
  network: NetworkShape,
  weights: Weights,
  input: readonly number[],
) {
  const loaded = engine.load(network, weights);
  const { lambda1, lambda2 } = loaded.exponents(Float32Array.from(input));
  loaded.dispose();
  return { lambda1: lambda1[0]!, lambda2: lambda2[0]! };
}

function diagonal(elements: readonly number[], bias: readonly number[]) {
  const n = elements.length;
  const weight = new Float64Array(n * n);
  for (const [i, element] of elements.entries()) weight[i * (n + 1)] = element;
  return { weight, bias: Float64Array.from(bias) };
}

/** An output layer of one neuron. */
function head(inputs: number) {
  return { weight: new Float64Array(inputs).fill(0.5), bias: Float64Array.of(0) };
}
