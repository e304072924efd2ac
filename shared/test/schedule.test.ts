import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cosPi } from "../numerics/elementary.ts";
import type { Schedule } from "../numerics/schedule.ts";
import { rateFactors } from "../numerics/schedule.ts";

const length = { stepsPerEpoch: 10, epochs: 6 };
const STEPS = 60;

/** Every factor of a training. */
function factors(schedule: Schedule, of = length): number[] {
  const factor = rateFactors(schedule, of);
  return Array.from({ length: of.stepsPerEpoch * of.epochs }, (_, step) => factor(step));
}

function assertNear(actual: number, expected: number, name: string): void {
  assert.ok(Math.abs(actual - expected) <= 4e-15, `${name}: expected ${expected}, got ${actual}`);
}

test("schedule: a cosine falls along half a period, from the whole rate to its fraction", () => {
  const found = factors({ name: "cosine", to: 0.1, warmup: 0 });
  found.forEach((factor, step) => {
    assertNear(factor, 0.1 + 0.45 * (1 + Math.cos((Math.PI * step) / STEPS)), `step ${step}`);
  });
  assert.equal(found[0], 1);
  assertNear(found[30]!, 0.55, "halfway");
});

test("schedule: steps fall by their factor after every so many epochs", () => {
  const found = factors({ name: "step", every: 2, factor: 0.5, warmup: 0 });
  assert.deepEqual(
    [0, 19, 20, 39, 40, 59].map((step) => found[step]),
    [1, 1, 0.5, 0.5, 0.25, 0.25],
  );
});

test("schedule: an exponential has its factor after each epoch, and equal ratios in between", () => {
  const found = factors({ name: "exponential", factor: 0.8, warmup: 0 });
  found.forEach((factor, step) => {
    assertNear(factor, 0.8 ** (step / 10), `step ${step}`);
  });
});

test("schedule: a warm-up rises in equal steps to the whole rate, and the rest begins behind it", () => {
  const warm = factors({ name: "cosine", to: 0, warmup: 2 });
  for (let step = 0; step < 20; step++) assertNear(warm[step]!, (step + 1) / 20, `step ${step}`);
  const shorter = factors({ name: "cosine", to: 0, warmup: 0 }, { ...length, epochs: 4 });
  assert.deepEqual(warm.slice(20), shorter);
  const half = factors({ name: "constant", warmup: 0.25 }); // 2.5 steps
  assert.deepEqual(half.slice(0, 4), [0.4, 0.8, 1, 1]);
});

test("schedule: a warm-up over the whole training has no rest", () => {
  const found = factors({ name: "cosine", to: 0, warmup: 6 });
  assert.equal(found.at(-1), 1);
  assert.ok(found.every(Number.isFinite));
});

const warmup = fc.constantFrom(0, 0.5, 1, 3);
const fraction = fc.double({ min: 0.01, max: 1, noNaN: true });
const schedules: fc.Arbitrary<Schedule> = fc.oneof(
  fc.record({ name: fc.constant("constant" as const), warmup }),
  fc.record({ name: fc.constant("cosine" as const), to: fraction, warmup }),
  fc.record({
    name: fc.constant("step" as const),
    every: fc.integer({ min: 1, max: 4 }),
    factor: fraction,
    warmup,
  }),
  fc.record({ name: fc.constant("exponential" as const), factor: fraction, warmup }),
);

test("schedule: every factor is above 0 and at most 1, rises in the warm-up and never behind it", () => {
  fc.assert(
    fc.property(schedules, fc.integer({ min: 1, max: 50 }), (schedule, stepsPerEpoch) => {
      const found = factors(schedule, { stepsPerEpoch, epochs: 5 });
      const top = Math.max(0, Math.ceil(schedule.warmup * stepsPerEpoch) - 1);
      found.forEach((factor, step) => {
        assert.ok(factor > 0 && factor <= 1, `step ${step}: ${factor}`);
        const before = found[step - 1] ?? factor;
        assert.ok(step <= top ? factor >= before : factor <= before + 1e-15, `step ${step}`);
      });
    }),
    { seed: 12, numRuns: 300 },
  );
});

test("cosPi: within two units in the last place of 1 of Math.cos, and exact where it must be", () => {
  for (let i = 0; i <= 4096; i++) {
    const x = i / 4096;
    assert.ok(Math.abs(cosPi(x) - Math.cos(Math.PI * x)) <= 2 * Number.EPSILON, `${x}`);
  }
  assert.deepEqual([0, 0.5, 1].map(cosPi), [1, 0, -1]);
});
