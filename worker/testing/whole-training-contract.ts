/** What every engine must do over whole trainings: the reference's statistics, not its bytes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CellPhysics } from "../../shared/cell.ts";
import { makeDataSet } from "../../shared/datasets/registry.ts";
import type { Optimizer } from "../../shared/numerics/training.ts";
import type { Engine } from "../engines/engine.ts";
import { referenceEngine } from "../engines/reference.ts";
import { progressOver } from "../progress.ts";
import { train } from "../tasks/train.ts";

const SEEDS = 8;

/** Registers the tests of an engine's whole trainings. */
export function wholeTrainingContract(engine: Engine): void {
  for (const optimizer of optimizers) {
    test(`${engine.id}: trainings on the circle have the reference's losses and accuracies (${optimizer.name})`, () => {
      const histories = Array.from({ length: SEEDS }, (_, seed) => {
        const physics = { ...cell(optimizer), seed };
        return [engine, referenceEngine].map((one) => {
          return train({ ...physics, engine: one.id }, one, progressOver()).history;
        });
      });
      for (const [ours, theirs] of histories) {
        // Before the first step only rounding differs; after an epoch of 30 it has been stretched.
        assert.ok(Math.abs(ours!.testLoss[0]! - theirs!.testLoss[0]!) < 1e-5);
        assert.ok(Math.abs(ours!.trainLoss[0]! - theirs!.trainLoss[0]!) < 1e-3);
      }
      for (const name of ["testLoss", "testAccuracy"] as const) {
        const [ours, theirs] = [0, 1].map((one) =>
          histories.map((pair) => pair[one]![name].at(-1)!),
        );
        // Four standard errors of the difference, as if the trainings were independent; then a small loss.
        const band = 4 * Math.sqrt((2 * variance(theirs!)) / SEEDS) + 1e-3;
        const difference = Math.abs(mean(ours!) - mean(theirs!));
        assert.ok(difference <= band, `${name}: means differ by ${difference}, more than ${band}`);
      }
    });
  }
}

const optimizers: readonly Optimizer[] = [
  { name: "sgd", learningRate: 0.03, momentum: 0.9 },
  { name: "adam", learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  { name: "rmsprop", learningRate: 0.003, decay: 0.99, epsilon: 1e-8 },
];

/** Seven networks' worth of training in well under a second each. */
function cell(optimizer: Optimizer): Omit<CellPhysics, "seed" | "engine"> {
  const options = { samples: 1200, trainFraction: 0.8, standardised: true };
  const { digest } = makeDataSet("circle", options);
  return {
    data: { name: "circle", options, digest },
    network: {
      inputs: 2,
      hidden: [10, 10, 10],
      outputs: 1,
      activation: "tanh",
      outputActivation: "tanh",
    },
    initialisation: { weightVariance: 0.1, thresholdVariance: 0 },
    training: {
      loss: "squared-error",
      optimizer,
      batch: 32,
      epochs: 6,
      weightDecay: 0,
      freeze: "none",
      stopAtAccuracy: null,
      snapshots: ["end"],
    },
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function variance(values: readonly number[]): number {
  const m = mean(values);
  return values.reduce((sum, value) => sum + (value - m) ** 2, 0) / (values.length - 1);
}
