import type { CellPhysics, Snapshot } from "../../shared/cell.ts";
import type { FileSamples } from "../../shared/datasets/registry.ts";
import { trainingSet } from "../../shared/datasets/targets.ts";
import { InvalidTaskError } from "../../shared/errors.ts";
import { randomKey } from "../../shared/identity.ts";
import type { History, TrainResult } from "../../shared/messages.ts";
import { countCorrect } from "../../shared/numerics/classification.ts";
import { initialWeights } from "../../shared/numerics/initialise.ts";
import { constantLoss, lossSum } from "../../shared/numerics/losses.ts";
import type { Weights } from "../../shared/numerics/network.ts";
import { createOptimizerState } from "../../shared/numerics/optimizers.ts";
import { permutation } from "../../shared/numerics/permutation.ts";
import { randomStream } from "../../shared/numerics/random-stream.ts";
import { rateFactors } from "../../shared/numerics/schedule.ts";
import type { TrainingRule, TrainingSet } from "../../shared/numerics/training.ts";
import { trainingWork } from "../../shared/work.ts";
import type { Engine, LoadedNetwork } from "../engines/engine.ts";
import { StoppedError } from "../engines/stopped-error.ts";
import type { Checkpoint, Course, TakenSnapshot } from "./checkpoint.ts";
import type { Progress } from "./progress.ts";
import { generatedSamples } from "./samples.ts";
import { divergence, largestGrowth, runaway } from "./verdict.ts";

export interface Trained extends Pick<TrainResult, "status" | "reason" | "epochs" | "history"> {
  readonly snapshots: readonly TakenSnapshot[];
  /** Samples that an epoch trains on. */
  readonly epochSamples: number;
}

export interface TrainOptions {
  /** The samples of a data set from files; a generated one is made here. */
  readonly data?: FileSamples | null;
  /** Imported initial weights; random ones are drawn here. */
  readonly initial?: Weights | null;
  /** Where an earlier training of this cell by this engine was; its arrays are taken over. */
  readonly resume?: Checkpoint | null;
  /** Is given checkpoints. They are good during the call: the training goes on in their arrays. */
  readonly save?: (checkpoint: Checkpoint) => void;
  /** Time from one checkpoint to the next. */
  readonly everyMs?: number;
  /** Milliseconds since some moment. */
  readonly now?: () => number;
}

export const CHECKPOINT_EVERY_MS = 30_000;

/** Work of so long is saved when the training is asked to stop; less is quickly done again. */
const WORTH_SAVING_MS = 2_000;

/**
 * A batch as long as so many calls is not waited for: it ends as soon as the training is asked to stop, and
 * with it goes what was done since the last checkpoint, because some of its steps are in the weights.
 */
const LONG_BATCH_CALLS = 10;

/**
 * Trains one cell: epochs, early stop, snapshots, and the verdict. Every engine's training comes
 * through here, with the same initial weights and the same order of samples. Resumed from a checkpoint, it gives
 * the same bytes as without the interruption.
 *
 * @throws InvalidTaskError if the data set here is not the one the task means.
 * @throws StoppedError when `progress` says so, after saving what is worth it.
 */
export function train(
  physics: CellPhysics,
  engine: Engine,
  { progress, ...options }: TrainOptions & { readonly progress: Progress },
): Trained {
  const { network, training } = physics;
  const { train: set, test, isOfClasses } = dataSetOf(physics, options.data ?? null);
  const initial = options.initial ?? drawnWeights(physics);
  const { weights, ...at } = options.resume ?? beginning(physics, initial);
  const calls = callLengths(physics, engine.callWork);
  const loaded = engine.load(network, weights, calls.isLong ? progress.stopFlag : undefined);
  try {
    if (options.initial) refuseNotFinite(loaded.weights(), engine);
    const rule = ruleOf(physics, set.samples);
    const look = lookout(progress, options, () => ({ ...at, weights: loaded.weights() }));
    const run: Run = { physics, set, test, isOfClasses, rule, calls, loaded, at, look };
    if (at.history.testLoss.length === 0) {
      evaluate({ ...run, look: progress.throwIfStopped }); // nothing to save yet
      takeSnapshots(run, (snapshot) => snapshot === 0);
    }
    let reason = "";
    while (reason === "" && at.epochs < training.epochs && !isGoodEnough(physics, at.history)) {
      trainEpoch(run, (done) => progress.set(done / training.epochs));
      reason = divergence(at.epochs, at.history);
      if (reason === "") takeSnapshots(run, (snapshot) => snapshot === at.epochs);
    }
    if (reason === "") {
      const growth = largestGrowth(initial, loaded.weights());
      reason = runaway(at.history, { growth, constant: constantLoss(rule.loss, test) });
      takeSnapshots(run, (snapshot) => snapshot === "end" || snapshot > at.epochs);
    }
    const status = reason === "" ? "trained" : "diverged";
    const { epochs, history, snapshots } = at;
    return { status, reason, epochs, history, snapshots, epochSamples: set.samples };
  } finally {
    loaded.dispose();
  }
}

/** Imported float64 weights may be too large for an engine of float32. */
function refuseNotFinite(weights: Weights, { id }: Engine): void {
  const areFinite = weights.every(({ weight, bias }) =>
    [weight, bias].every((values) => values.every(Number.isFinite)),
  );
  if (areFinite) return;
  throw new InvalidTaskError(
    `expected weights that are finite in engine ${id}, found some that are too large for it; engine reference has float64`,
  );
}

/** @throws InvalidTaskError if they are imported, and the task came without them. */
function drawnWeights(physics: CellPhysics): Weights {
  const { network, initialisation } = physics;
  if ("weights" in initialisation) {
    throw new InvalidTaskError(`expected the weights ${initialisation.weights}, got none`);
  }
  return initialWeights(network, initialisation, randomKey(physics));
}

/** A training under way. */
interface Run {
  readonly physics: CellPhysics;
  readonly set: TrainingSet;
  readonly test: TrainingSet;
  /** Otherwise the targets are values, of which none is right or wrong. */
  readonly isOfClasses: boolean;
  readonly rule: TrainingRule;
  /** Samples in one call of the engine. */
  readonly calls: { readonly train: number; readonly test: number };
  readonly loaded: LoadedNetwork;
  /** Changes only between calls of the engine, so that at every look it is a whole. */
  readonly at: Course;
  /** Saves and stops, if it is time to. */
  readonly look: () => void;
}

function beginning({ network, training }: CellPhysics, weights: Weights): Checkpoint {
  return {
    epochs: 0,
    from: 0,
    lossSum: 0,
    correct: 0,
    history: { trainLoss: [], trainAccuracy: [], testLoss: [], testAccuracy: [] },
    snapshots: [],
    state: createOptimizerState(training.optimizer, network),
    weights,
  };
}

/** What is left of the epoch under way; tells the epochs done, with the part of this one. */
function trainEpoch(run: Run, tell: (epochs: number) => void): void {
  const { physics, set, isOfClasses, rule, calls, loaded, at, look } = run;
  const order = permutation(set.samples, randomStream(randomKey(physics), "order", at.epochs + 1));
  while (at.from < order.length && Number.isFinite(at.lossSum)) {
    look();
    const slice = order.subarray(at.from, at.from + calls.train);
    const { lossSum, correct } = loaded.train(set, slice, rule, at.state);
    at.lossSum += lossSum;
    at.correct += correct;
    at.from += slice.length;
    tell(at.epochs + at.from / order.length);
  }
  evaluate(run);
  at.history.trainLoss.push(at.lossSum / set.samples);
  at.history.trainAccuracy.push(isOfClasses ? at.correct / set.samples : Number.NaN);
  at.epochs++;
  at.from = at.lossSum = at.correct = 0;
}

/** Adds loss and accuracy over the test split to the history. */
function evaluate({
  physics: { network },
  test,
  isOfClasses,
  rule,
  calls,
  loaded,
  at,
  look,
}: Run): void {
  const outputs = new Float64Array(test.samples * network.outputs);
  for (let from = 0; from < test.samples; from += calls.test) {
    look();
    const to = from + calls.test;
    const inputs = test.inputs.subarray(from * network.inputs, to * network.inputs);
    outputs.set(loaded.outputs(inputs), from * network.outputs);
  }
  at.history.testLoss.push(lossSum(rule.loss, outputs, test) / test.samples);
  const correct = isOfClasses ? countCorrect(network, outputs, test) : Number.NaN;
  at.history.testAccuracy.push(correct / test.samples);
}

function takeSnapshots({ physics, loaded, at }: Run, isDue: (snapshot: Snapshot) => boolean): void {
  for (const snapshot of physics.training.snapshots) {
    if (!isDue(snapshot)) continue;
    at.snapshots.push({ snapshot, epoch: at.epochs, weights: loaded.weights() });
  }
}

/** To be called between calls of the engine: saves when it is time to, and stops when asked to. */
function lookout(
  progress: Progress,
  { save, everyMs = CHECKPOINT_EVERY_MS, now = () => performance.now() }: TrainOptions,
  checkpoint: () => Checkpoint,
): () => void {
  let savedAt = now();
  return () => {
    const isStopped = progress.isStopped();
    const dueMs = isStopped ? Math.min(everyMs, WORTH_SAVING_MS) : everyMs;
    if (save !== undefined && now() - savedAt >= dueMs) {
      save(checkpoint());
      savedAt = now();
    }
    if (isStopped) throw new StoppedError("asked to stop");
  };
}

function dataSetOf({ data, training }: CellPhysics, given: FileSamples | null) {
  const { train, test, targets } = given ?? generatedSamples(data);
  return {
    train: trainingSet(train, targets, training.loss),
    test: trainingSet(test, targets, training.loss),
    isOfClasses: targets.kind !== "values",
  };
}

function ruleOf({ network, training }: CellPhysics, samples: number): TrainingRule {
  const { loss, optimizer, batch, epochs, weightDecay, freeze, schedule } = training;
  const frozen = [...network.hidden.map(() => freeze === "hidden"), false];
  const rule = { loss, optimizer, batch, weightDecay, frozen };
  if (schedule === undefined) return rule;
  const factor = rateFactors(schedule, { stepsPerEpoch: Math.ceil(samples / batch), epochs });
  return { ...rule, rateAt: (step) => optimizer.learningRate * factor(step) };
}

/** Samples in one call of the engine, about `work` floating-point operations; of a training whole batches. */
function callLengths({ network, training }: CellPhysics, work: number) {
  const batchWork = trainingWork(network, 1, { train: training.batch, test: 0 });
  const testWork = trainingWork(network, 1, { train: 0, test: 1 });
  return {
    train: training.batch * Math.max(1, Math.floor(work / batchWork)),
    test: Math.max(1, Math.floor(work / testWork)),
    isLong: batchWork > LONG_BATCH_CALLS * work,
  };
}

function isGoodEnough({ training }: CellPhysics, { testAccuracy, trainLoss }: History): boolean {
  const { stopAtAccuracy } = training;
  return stopAtAccuracy !== null && trainLoss.length > 0 && testAccuracy.at(-1)! >= stopAtAccuracy;
}
