/** Comparing an engine's results with the reference's. */
import type { Weights } from "../../shared/numerics/network.ts";
import { randomStream } from "../../shared/numerics/random-stream.ts";
import type { Engine, LoadedNetwork } from "../engines/engine.ts";
import { referenceEngine } from "../engines/reference.ts";
import { assertNamedClose, type Given, inEngine } from "./engine-fixtures.ts";

/** Results by name. */
export type Numbers = Readonly<Record<string, ArrayLike<number>>>;

export interface Comparison<T extends Numbers> extends Given {
  compute(loaded: LoadedNetwork): T;
  /** The allowed difference from the expected numbers where the network does not amplify rounding. */
  tolerance(expected: T): Numbers;
  /** Relative size of the rounding errors that the network amplifies; by default none. */
  readonly rounding?: number;
}

/** Asserts that the engine's numbers are the reference's, within `tolerance` plus twice the effect of `rounding`. */
export function assertAgrees<T extends Numbers>(engine: Engine, comparison: Comparison<T>): void {
  const ours = inEngine(engine, comparison, comparison.compute);
  const theirs = inEngine(referenceEngine, comparison, comparison.compute);
  const own = comparison.tolerance(theirs);
  const amplified = effectOfRounding(comparison, theirs);
  for (const [name, expected] of Object.entries(theirs)) {
    const tolerance = Float64Array.from(expected, (_, i) => {
      return own[name]![i]! + 2 * amplified[name]![i]!;
    });
    assertNamedClose(name, { actual: ours[name]!, expected, tolerance });
  }
}

/** How many random changes are tried. With several it is unlikely that all of them miss what a number depends on. */
const DRAWS = 4;

/**
 * The largest change of each number if every weight and bias changes by up to `rounding` of its size, at
 * random. A sum computed in rounded arithmetic is the exact one of factors changed so (Higham, Accuracy and
 * Stability of Numerical Algorithms, 2nd ed., §3.1): chaotic layers amplify it, a field of 40 makes 40 of it.
 */
function effectOfRounding<T extends Numbers>(
  { network, weights, compute, rounding = 0 }: Comparison<T>,
  exact: T,
): Record<string, Float64Array> {
  const effect = Object.fromEntries(
    Object.entries(exact).map(([name, { length }]) => [name, new Float64Array(length)]),
  );
  for (let draw = 0; rounding > 0 && draw < DRAWS; draw++) {
    const given = { network, weights: changed(weights, { by: rounding, draw }) };
    const moved = inEngine(referenceEngine, given, compute);
    for (const [name, largest] of Object.entries(effect)) {
      for (let i = 0; i < largest.length; i++) {
        largest[i] = Math.max(largest[i]!, distance(moved[name]![i]!, exact[name]![i]!));
      }
    }
  }
  return effect;
}

function changed(weights: Weights, { by, draw }: { by: number; draw: number }): Weights {
  const { uniform } = randomStream([5, 1], "data", draw);
  const move = (value: number) => value * (1 + by * (2 * uniform() - 1));
  return weights.map(({ weight, bias }) => ({
    weight: Float64Array.from(weight, move),
    bias: Float64Array.from(bias, move),
  }));
}

function distance(a: number, b: number): number {
  return Object.is(a, b) ? 0 : Math.abs(a - b);
}
