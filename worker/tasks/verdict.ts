/** Whether a training has gone wrong, and why: reasons in words for a person, empty where it has not. */
import type { History } from "../../shared/messages.ts";
import type { FloatArray, Weights } from "../../shared/numerics/network.ts";

/**
 * With saturating outputs the loss stays finite however wild the weights become. A training has run away
 * if a layer's weights have grown fivefold (root mean square) and its test loss ended above what it began
 * with and above this multiple of what a constant output would have. A heuristic (docs/decisions/0004).
 */
const RUNAWAY = { growth: 5, loss: 1.2 };

export function divergence(epoch: number, { trainLoss, testLoss }: History): string {
  const losses = [trainLoss.at(-1), testLoss.at(-1)];
  return losses.every(Number.isFinite) ? "" : `the loss is not finite in epoch ${epoch}`;
}

/** `constant`: the test loss of the best constant output. */
export function runaway(
  { testLoss }: History,
  { growth, constant }: { growth: number; constant: number },
): string {
  const first = testLoss[0]!;
  const last = testLoss.at(-1)!;
  const isWorse = constant > 0 && last > Math.max(first, RUNAWAY.loss * constant);
  if (!isWorse || growth < RUNAWAY.growth) return "";
  const [a, b, c] = [last, first, constant].map((value) => value.toPrecision(3));
  return `the loss ended at ${a}; it began at ${b}, a constant output has ${c}, and the weights of a layer grew ${Math.round(growth)}-fold`;
}

/** By how much the root mean square of a layer's weights has grown, where it has grown most. */
export function largestGrowth(before: Weights, after: Weights): number {
  const rms = (weight: FloatArray) => {
    let squares = 0;
    for (const w of weight) squares += w * w;
    return Math.sqrt(squares / weight.length);
  };
  return Math.max(...after.map(({ weight }, l) => rms(weight) / rms(before[l]!.weight)));
}
