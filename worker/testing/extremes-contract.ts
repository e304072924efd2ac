/** What every engine must do at the ends of depth, width and input dimension, against the reference. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { initialWeights } from "../../shared/numerics/initialise.ts";
import type { NetworkShape, Weights } from "../../shared/numerics/network.ts";
import type { Engine, LoadedNetwork } from "../engines/engine.ts";
import { referenceEngine } from "../engines/reference.ts";
import type { Tolerances } from "./engine-contract.ts";
import { assertClose, somePoints, tanhNetwork } from "./engine-fixtures.ts";

/** Registers the tests of an engine's exponents in extreme networks. */
export function extremesContract(engine: Engine, tolerances: Tolerances): void {
  const it = (sentence: string, body: () => void) => test(`${engine.id}: ${sentence}`, body);

  for (const { name, hidden, gain, points, amplification } of planes) {
    it(`fields of ${name} agree with the reference`, () => {
      const network = { ...tanhNetwork, hidden };
      const axis = Float64Array.from({ length: points }, (_, i) => Math.fround((i - 2.5) / 3));
      const [ours, theirs] = fromBoth(engine, network, gain, (loaded) => {
        return loaded.field({ x: axis, y: axis, layers: "last" });
      });
      const depth = hidden.length;
      const tolerance = (tolerances.stretching * Math.sqrt(depth) * amplification) / depth;
      assertClose(ours.lambda1, theirs.lambda1, tolerance);
      assertClose(ours.output, theirs.output, tolerances.output * Math.sqrt(depth) * amplification);
    });
  }

  for (const inputs of [1, 2, 3, 20, 784]) {
    it(`exponents at points of ${inputs} inputs agree with the reference`, () => {
      const network = { ...tanhNetwork, inputs, hidden: [20, 13, 20] };
      const some = somePoints(5 * inputs).map((x) => Math.fround(x / Math.sqrt(inputs)));
      const [ours, theirs] = fromBoth(engine, network, 2, (loaded) => loaded.exponents(some));
      const tolerance = tolerances.stretching;
      assertClose(ours.lambda1, theirs.lambda1, tolerance);
      theirs.lambda2.forEach((lambda2, i) => {
        // σ₂ is right to the rounding of σ₁.
        const ratio = lambda2 === Number.NEGATIVE_INFINITY ? 1 : ratioAt(theirs, i, 3);
        assertClose([ours.lambda2[i]!], [lambda2], tolerance * ratio);
      });
    });
  }

  it("a bottleneck of one neuron leaves one exponent, for any number of inputs", () => {
    for (const inputs of [2, 5, 40]) {
      const network = { ...tanhNetwork, inputs, hidden: [20, 1, 20] };
      const loaded = engine.load(network, weightsOf(network, 1));
      const { lambda1, lambda2 } = loaded.exponents(somePoints(3 * inputs));
      assert.ok(lambda1.every(Number.isFinite));
      assert.ok(lambda2.every((value) => value === Number.NEGATIVE_INFINITY));
      loaded.dispose();
    }
  });

  it("points of many inputs that are not finite have NaN, and the others what they had", () => {
    const network = { ...tanhNetwork, inputs: 6, hidden: [9, 8] };
    const loaded = engine.load(network, weightsOf(network, 1));
    const inputs = somePoints(6 * 20);
    const before = loaded.exponents(inputs);
    inputs[6 * 3] = Number.NaN;
    inputs[6 * 5 + 5] = Number.POSITIVE_INFINITY;
    const after = loaded.exponents(inputs);
    for (const name of ["lambda1", "lambda2"] as const) {
      after[name].forEach((value, i) => {
        if (i === 3 || i === 5) assert.ok(Number.isNaN(value), `${name}[${i}]`);
        else assert.equal(value, before[name][i], `${name}[${i}]`);
      });
    }
    loaded.dispose();
  });

  it("a point's exponents are the same bytes alone and among others", () => {
    for (const inputs of [2, 6]) {
      const network = { ...tanhNetwork, inputs, hidden: [9, 8] };
      const loaded = engine.load(network, weightsOf(network, 1));
      const points = somePoints(inputs * 40);
      const whole = loaded.exponents(points);
      for (const at of [0, 17, 39]) {
        const alone = loaded.exponents(points.subarray(inputs * at, inputs * (at + 1)));
        assert.deepEqual(
          [alone.lambda1[0], alone.lambda2[0]],
          [whole.lambda1[at], whole.lambda2[at]],
        );
      }
      loaded.dispose();
    }
  });
}

/**
 * `amplification`: by how much the networks stretch errors of the local fields on the way, which λ₁ then sees:
 * about exp(L·λ₁) where that is above 1, as read off the reference.
 */
const planes = [
  {
    name: "100 layers at the edge of chaos",
    hidden: layers(100, 10),
    gain: 1,
    points: 6,
    amplification: 20,
  },
  { name: "width 1", hidden: layers(5, 1), gain: 2, points: 6, amplification: 10 },
  { name: "width 1000", hidden: layers(2, 1000), gain: 1, points: 3, amplification: 2 },
  { name: "mixed widths", hidden: [50, 7, 33], gain: 1.5, points: 6, amplification: 4 },
  { name: "strong weights", hidden: layers(6, 20), gain: 25, points: 6, amplification: 1000 },
];

function layers(depth: number, width: number): number[] {
  return new Array<number>(depth).fill(width);
}

/** Rounded to float32, so that all engines have the same. */
function weightsOf(network: NetworkShape, gain: number): Weights {
  const scale = { weightVariance: gain / network.hidden[0]!, thresholdVariance: 0.01 };
  return initialWeights(network, scale, [8, 3]).map(({ weight, bias }) => {
    return { weight: Float32Array.from(weight), bias: Float32Array.from(bias) };
  });
}

function fromBoth<T>(
  engine: Engine,
  network: NetworkShape,
  gain: number,
  compute: (loaded: LoadedNetwork) => T,
): [T, T] {
  const results = [engine, referenceEngine].map((one) => {
    const loaded = one.load(network, weightsOf(network, gain));
    const result = compute(loaded);
    loaded.dispose();
    return result;
  });
  return [results[0]!, results[1]!];
}

/** σ₁/σ₂ at a point. */
function ratioAt(
  { lambda1, lambda2 }: { lambda1: Float64Array; lambda2: Float64Array },
  point: number,
  depth: number,
): number {
  return Math.exp(depth * (lambda1[point]! - lambda2[point]!));
}
