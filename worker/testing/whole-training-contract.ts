/** Whole trainings of every engine must begin with the reference's losses and end with its statistics. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CellPhysics } from "../../shared/cell.ts";
import { defaultOptions } from "../../shared/datasets/data-set.ts";
import { dataSet, makeDataSet } from "../../shared/datasets/registry.ts";
import type { Optimizer } from "../../shared/numerics/training.ts";
import type { Engine } from "../engines/engine.ts";
import { referenceEngine } from "../engines/reference.ts";
import { progressOver } from "../tasks/progress.ts";
import { train } from "../tasks/train.ts";
import { assertNamedClose } from "./engine-fixtures.ts";

const SEEDS = 8;

/** Registers the tests of an engine's whole trainings. */
export function wholeTrainingContract(engine: Engine): void {
  for (const optimizer of optimizers) {
    const title = `trainings on the circle have the reference's losses and accuracies (${optimizer.name})`;

    test(`${engine.id}: ${title}`, () => {
      const [ours, theirs] = [engine, referenceEngine].map((one) => {
        return Array.from({ length: SEEDS }, (_, seed) => {
          const physics = { ...cell(optimizer), seed, engine: one.id };
          return train(physics, one, { progress: progressOver() }).history;
        });
      });
      ours!.forEach((history, seed) => {
        // In two epochs of 30 steps float32 changes losses by some 1e-7 (measured).
        for (const name of ["trainLoss", "testLoss"] as const) {
          const [actual, expected] = [history, theirs![seed]!].map((one) => one[name].slice(0, 2));
          assertNamedClose(name, { actual: actual!, expected: expected!, tolerance: 1e-5 });
        }
      });
      for (const name of ["testLoss", "testAccuracy"] as const) {
        const [actual, expected] = [ours, theirs].map((all) =>
          all!.map((one) => one[name].at(-1)!),
        );
        // From the same weights and orders, rounding changes less than other seeds do, however it is amplified:
        // half a standard error of the reference's mean. In float32 it is 1e-4 of one (measured).
        assertNamedClose(`mean ${name}`, {
          actual: [mean(actual!)],
          expected: [mean(expected!)],
          tolerance: Math.sqrt(variance(expected!) / SEEDS) / 2,
        });
      }
      // These trainings learn, and are not finished: differences would show.
      const accuracy = mean(theirs!.map(({ testAccuracy }) => testAccuracy.at(-1)!));
      assert.ok(accuracy > 0.85 && accuracy < 0.99, `accuracy ${accuracy}`);
    });
  }
}

const optimizers: readonly Optimizer[] = [
  { name: "sgd", learningRate: 0.03, momentum: 0.9 },
  { name: "adam", learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  { name: "rmsprop", learningRate: 0.003, decay: 0.99, epsilon: 1e-8 },
];

/** 180 steps of a small network. */
function cell(optimizer: Optimizer): Omit<CellPhysics, "seed" | "engine"> {
  const options = { ...defaultOptions(dataSet("circle")), samples: 1200, trainFraction: 0.8 };
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
