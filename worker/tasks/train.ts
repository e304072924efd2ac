import type { CellPhysics, Snapshot } from "../../shared/cell.ts";
import { makeDataSet } from "../../shared/datasets/registry.ts";
import { InvalidTaskError } from "../../shared/errors.ts";
import { randomKey } from "../../shared/identity.ts";
import type { History, TrainResult } from "../../shared/messages.ts";
import { countCorrect } from "../../shared/numerics/classification.ts";
import { initialWeights } from "../../shared/numerics/initialise.ts";
import { constantLoss, lossSum } from "../../shared/numerics/losses.ts";
import type { FloatArray, Weights } from "../../shared/numerics/network.ts";
import { createOptimizerState } from "../../shared/numerics/optimizers.ts";
import { permutation } from "../../shared/numerics/permutation.ts";
import { randomStream } from "../../shared/numerics/random-stream.ts";
import type { TrainingRule } from "../../shared/numerics/training.ts";
import { trainingWork } from "../../shared/work.ts";
import type { Engine } from "../engines/engine.ts";
import type { Progress } from "../progress.ts";

export interface Trained extends Pick<TrainResult, "status" | "reason" | "epochs" | "history"> {
  readonly snapshots: readonly { snapshot: Snapshot; epoch: number; weights: Weights }[];
}

/**
 * With saturating outputs the loss stays finite however wild the weights become. A training has run away
 * if a layer's weights have grown fivefold (root mean square) and its test loss ended above what it began
 * with and above this multiple of what a constant output would have. A heuristic (docs/decisions/0004).
 */
const RUNAWAY = { growth: 5, loss: 1.2 };

/**
 * Trains one cell: epochs, early stop, snapshots, and the verdict. Every engine's training comes
 * through here, with the same initial weights and the same order of samples.
 *
 * @throws InvalidTaskError if the data set here is not the one the task means.
 * @throws StoppedError when `progress` says so.
 */
export function train(physics: CellPhysics, engine: Engine, progress: Progress): Trained {
  const { network, training } = physics;
  const { train: set, test } = dataSetOf(physics);
  const key = randomKey(physics);
  const weights = initialWeights(network, physics.initialisation, key);
  const rule: TrainingRule = {
    loss: training.loss,
    optimizer: training.optimizer,
    batch: training.batch,
    weightDecay: training.weightDecay,
    frozen: weights.map((_, l) => training.freeze === "hidden" && l < weights.length - 1),
  };
  const loaded = engine.load(network, weights, progress.stopFlag);
  try {
    const state = createOptimizerState(rule.optimizer, network);
    const history: History = { trainLoss: [], trainAccuracy: [], testLoss: [], testAccuracy: [] };
    const snapshots: { snapshot: Snapshot; epoch: number; weights: Weights }[] = [];
    const keep = (epoch: number, due: (snapshot: Snapshot) => boolean) => {
      for (const snapshot of training.snapshots) {
        if (due(snapshot)) snapshots.push({ snapshot, epoch, weights: loaded.weights() });
      }
    };
    const evaluate = () => {
      const outputs = loaded.outputs(test.inputs);
      history.testLoss.push(lossSum(rule.loss, outputs, test) / test.samples);
      history.testAccuracy.push(countCorrect(network, outputs, test) / test.samples);
    };
    const slice = sliceLength(physics, engine.callWork);
    let epoch = 0;
    let reason = "";
    evaluate();
    keep(0, (snapshot) => snapshot === 0);
    while (epoch < training.epochs && !isGoodEnough(physics, history)) {
      epoch++;
      const order = permutation(set.samples, randomStream(key, "order", epoch));
      let loss = 0;
      let correct = 0;
      for (let from = 0; from < order.length && Number.isFinite(loss); from += slice) {
        progress.throwIfStopped();
        const stats = loaded.train(set, order.subarray(from, from + slice), rule, state);
        loss += stats.lossSum;
        correct += stats.correct;
        const done = Math.min(1, (from + slice) / order.length);
        progress.set((epoch - 1 + done) / training.epochs);
      }
      history.trainLoss.push(loss / set.samples);
      history.trainAccuracy.push(correct / set.samples);
      evaluate();
      reason = divergence(epoch, history);
      if (reason !== "") break;
      keep(epoch, (snapshot) => snapshot === epoch);
    }
    if (reason === "") {
      const growth = largestGrowth(weights, loaded.weights());
      reason = runaway(history, { growth, constant: constantLoss(rule.loss, test) });
      const stopped = epoch;
      keep(epoch, (snapshot) => snapshot === "end" || snapshot > stopped);
    }
    const status = reason === "" ? "trained" : "diverged";
    return { status, reason, epochs: epoch, history, snapshots };
  } finally {
    loaded.dispose();
  }
}

function dataSetOf({ data }: CellPhysics) {
  const made = makeDataSet(data.name, data.options);
  if (made.digest !== data.digest) {
    throw new InvalidTaskError(
      `expected data set ${data.name} with digest ${data.digest}, made one with ${made.digest}`,
    );
  }
  return made;
}

/** Samples in one call of the engine: whole batches, about `work` floating-point operations. */
function sliceLength({ network, training }: CellPhysics, work: number): number {
  const batchWork = trainingWork(network, 1, { train: training.batch, test: 0 });
  return training.batch * Math.max(1, Math.floor(work / batchWork));
}

function isGoodEnough({ training }: CellPhysics, { testAccuracy, trainLoss }: History): boolean {
  const { stopAtAccuracy } = training;
  return stopAtAccuracy !== null && trainLoss.length > 0 && testAccuracy.at(-1)! >= stopAtAccuracy;
}

function divergence(epoch: number, { trainLoss, testLoss }: History): string {
  const losses = [trainLoss.at(-1), testLoss.at(-1)];
  return losses.every(Number.isFinite) ? "" : `the loss is not finite in epoch ${epoch}`;
}

function runaway(
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
function largestGrowth(before: Weights, after: Weights): number {
  const rms = (weight: FloatArray) => {
    let squares = 0;
    for (const w of weight) squares += w * w;
    return Math.sqrt(squares / weight.length);
  };
  return Math.max(...after.map(({ weight }, l) => rms(weight) / rms(before[l]!.weight)));
}
